/**
 * What a stream says, read at once and as a whole: the data of its events up to the end mark, and the offsets
 * before that mark at which no event is unfinished. Written for the tests, to disagree with the real reader.
 */
export function readWhole(bytes: Buffer): { events: string[]; boundaries: number[] } {
  const events: string[] = []
  const boundaries = [0]
  let data: string[] = []
  let inside = false
  // In latin1 one character is one byte, so that the offsets are those of the bytes.
  for (const { 0: whole, 1: line = '', 2: ending = '', index } of bytes
    .toString('latin1')
    .matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)) {
    const text = Buffer.from(index === 0 ? line.replace(/^\xef\xbb\xbf/, '') : line, 'latin1').toString()
    if (text === '') {
      if (data.length > 0) events.push(data.join('\n'))
      data = []
      inside = false
    } else if (!text.startsWith(':')) {
      inside = true
      const value = /^data(?:: ?(.*))?$/su.exec(text)
      if (value) data.push(value[1] ?? '')
    }
    if (data.length === 1 && data[0]?.startsWith('[DONE]'))
      return { events: [...events, ...data], boundaries }
    const end = index + whole.length
    if (inside || ending === '') continue
    boundaries.push(...(ending === '\r\n' ? [end - 1, end] : [end]))
  }
  return { events, boundaries }
}
