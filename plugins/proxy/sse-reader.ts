import { isEndMark } from './answer-reader.ts'

const LF = 10
const CR = 13
const NOTHING = Buffer.alloc(0)

export interface SseReader {
  /**
   * Reads the next bytes of the stream. Returns how many of them, counted from the chunk's start, are safe to
   * pass on: up to there the stream consists of whole events, none of which is the terminal one.
   */
  push(chunk: Buffer): number
  /** How much of the last chunk was read: all of it, or up to the end of the terminal event. */
  readonly position: number
  /** Reads what is left when the stream ends without a final blank line. */
  end(): void
}

/**
 * Reads server-sent events (WHATWG HTML, section 9.2) from bytes that may be cut anywhere, each byte once.
 * `onData` gets the data of each event and returns true for the terminal one, after which nothing is read.
 */
export function createSseReader(onData: (data: string) => boolean): SseReader {
  let unfinished: Buffer[] = [] // the pieces of a line whose end has not come yet
  let data: string[] = []
  let insideEvent = false
  let skipLf = false // the last chunk ended in CR, which may be half of CRLF
  let firstLine = true
  let terminated = false
  let position = 0

  function takeLine(chunk: Buffer, start: number, end: number): string {
    if (unfinished.length === 0) return chunk.toString('utf8', start, end)
    unfinished.push(chunk.subarray(start, end))
    const line = Buffer.concat(unfinished).toString('utf8')
    unfinished = []
    return line
  }

  function readLine(raw: string): void {
    const line = firstLine && raw.startsWith('\uFEFF') ? raw.slice(1) : raw
    firstLine = false
    if (line === '') return endEvent()
    if (line.startsWith(':')) return
    insideEvent = true
    if (!line.startsWith('data')) return
    if (line.length > 4 && line[4] !== ':') return // another field whose name begins the same
    const value = line.slice(line[5] === ' ' ? 6 : 5)
    data.push(value)
    // The end mark counts as soon as its line is whole: a client may act on it before the blank line.
    if (data.length === 1 && isEndMark(value)) endEvent()
  }

  function endEvent(): void {
    insideEvent = false
    if (data.length === 0) return
    const event = data.length === 1 ? (data[0] as string) : data.join('\n')
    data = []
    terminated = onData(event)
  }

  return {
    get position() {
      return position
    },

    push(chunk) {
      let safe = 0
      let start = 0
      if (skipLf && chunk.length > 0) {
        skipLf = false
        if (chunk[0] === LF) start = 1
        if (!insideEvent && !terminated) safe = start
      }
      let cr = chunk.indexOf(CR, start)
      let lf = chunk.indexOf(LF, start)
      while (!terminated) {
        if (cr !== -1 && cr < start) cr = chunk.indexOf(CR, start)
        if (lf !== -1 && lf < start) lf = chunk.indexOf(LF, start)
        if (lf === -1 && cr === -1) break
        const end = lf === -1 || (cr !== -1 && cr < lf) ? cr : lf
        readLine(takeLine(chunk, start, end))
        start = end + 1
        if (end === cr) {
          if (start === chunk.length) skipLf = true
          else if (chunk[start] === LF) start += 1
        }
        if (!insideEvent && !terminated) safe = start
      }
      if (!terminated && start < chunk.length) unfinished.push(chunk.subarray(start))
      position = terminated ? start : chunk.length
      return safe
    },

    end() {
      if (terminated) return
      if (unfinished.length > 0) readLine(takeLine(NOTHING, 0, 0))
      if (!terminated) endEvent()
    }
  }
}
