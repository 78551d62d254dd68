const CHUNKED = -1
const LAST_CHUNK = '\r\n0\r\n\r\n'
/** Long enough for an end mark, in a chunk, and the last chunk. */
const TAIL = 160

/** Reads one answer after the other from a connection; no more of them than it must, since it shares a core. */
export class AnswerReader {
  readonly #endMark: string
  #head: Buffer | null = null
  #inHead = true
  #left = 0
  #tail = ''
  /** When the first byte of the body came; 0 = not yet. */
  firstByteAt = 0
  /** All of the body as it came, where it was asked for. */
  body: Buffer[] | null = null

  constructor(endMark: string) {
    this.#endMark = endMark
  }

  begin(keep: boolean): void {
    this.#head = null
    this.#inHead = true
    this.#tail = ''
    this.firstByteAt = 0
    this.body = keep ? [] : null
  }

  /** True when the answer is whole. Throws when it is not one, or lacks its end mark. */
  push(bytes: Buffer): boolean {
    const chunk = this.#inHead ? this.#readHead(bytes) : bytes
    if (chunk === null || chunk.length === 0) return false
    if (this.firstByteAt === 0) this.firstByteAt = performance.now()
    this.body?.push(chunk)
    const from = Math.max(0, chunk.length - TAIL)
    if (this.#left !== CHUNKED) {
      this.#left -= chunk.length
      if (this.#left > 0) return false
      return this.#checked(this.#tail + chunk.toString('latin1', from))
    }
    const mayEnd = chunk[chunk.length - 1] === 0x0a && (chunk.length < 5 || chunk[chunk.length - 5] === 0x30)
    this.#tail = (from > 0 ? '' : this.#tail) + chunk.toString('latin1', from)
    if (this.#tail.length > 2 * TAIL) this.#tail = this.#tail.slice(-TAIL)
    return mayEnd && this.#tail.endsWith(LAST_CHUNK) && this.#checked(this.#tail)
  }

  #checked(tail: string): true {
    if (!tail.includes(this.#endMark)) throw new Error(`no end mark: ${tail.slice(-80)}`)
    return true
  }

  /** What of the bytes belongs to the body; null while the head is not whole. */
  #readHead(bytes: Buffer): Buffer | null {
    const all = this.#head ? Buffer.concat([this.#head, bytes]) : bytes
    const end = all.indexOf('\r\n\r\n')
    if (end === -1) {
      this.#head = all
      return null
    }
    const head = all.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 200')) throw new Error(all.toString('latin1', 0, end + 200))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    this.#left = length === undefined ? CHUNKED : Number(length)
    this.#inHead = false
    return all.subarray(end + 4)
  }
}

/** The text of a chunked body. */
export function dechunked(body: Buffer): string {
  const pieces: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, lineEnd), 16)
    if (!(size > 0)) return Buffer.concat(pieces).toString()
    pieces.push(body.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
