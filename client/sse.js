/**
 * Reads server-sent events (WHATWG HTML, section 9.2) from bytes that may be cut anywhere, each byte once. `onData`
 * gets the data of each event. Other than the standard says, `end` reads an event whose blank line never came: some
 * upstreams leave it out at the end of a stream, and the service counts it too.
 * @param {(data: string) => void} onData
 */
export function createSseReader(onData) {
  // Node's decoder leaves a second byte order mark out where the first was cut.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  /** @type {string[]} The pieces of a line whose end has not come yet. */
  let unfinished = []
  /** @type {string[]} */
  let data = []
  let begun = false
  let skipLf = false // the text before ended in CR, which may be half of CRLF

  /** @param {string} line */
  function readLine(line) {
    if (line === '') return endEvent()
    if (!line.startsWith('data')) return // a comment, or a field that says nothing here
    if (line.length > 4 && line[4] !== ':') return // another field whose name begins the same
    data.push(line.slice(line[5] === ' ' ? 6 : 5))
  }

  function endEvent() {
    if (data.length === 0) return
    const event = data.join('\n')
    data = []
    onData(event)
  }

  /** @param {string} text */
  function read(text) {
    if (text === '') return
    const skipped = begun ? skipLf && '\n' : '\uFEFF'
    let start = skipped && text.startsWith(skipped) ? 1 : 0
    begun = true
    skipLf = false
    const ends = /\r\n?|\n/g
    ends.lastIndex = start
    for (let end = ends.exec(text); end; end = ends.exec(text)) {
      unfinished.push(text.slice(start, end.index))
      const line = unfinished.join('')
      unfinished = []
      start = ends.lastIndex
      skipLf = end[0] === '\r' && start === text.length
      readLine(line)
    }
    if (start < text.length) unfinished.push(text.slice(start))
  }

  return {
    /** @param {Uint8Array<ArrayBuffer>} bytes */
    push(bytes) {
      read(decoder.decode(bytes, { stream: true }))
    },
    end() {
      read(decoder.decode())
      if (unfinished.length > 0) readLine(unfinished.join(''))
      endEvent()
    }
  }
}
