import { connect, type Socket } from 'node:net'
import { AnswerReader, dechunked } from './answer-reader.ts'
import type { LoadSpec } from './ask.ts'
import type { Tally } from './tally.ts'

const STAMP = /"t(\d{6,}) "/g
/** Of so many streams, one has its events counted. */
const SAMPLE = 20

/** A connection that asks, and asks again for as long as it is told to. */
export class Connection {
  readonly #spec: LoadSpec
  readonly #request: Buffer
  readonly #tally: Tally
  readonly #reader: AnswerReader
  #socket: Socket | null = null
  #askedAt = 0
  #asked = 0
  #cut = ''
  #onEnd: (() => void) | null = null
  /** Called with the first byte of the body. */
  onFirstByte: (() => void) | null = null

  constructor(spec: LoadSpec, index: number, tally: Tally) {
    this.#spec = spec
    this.#request = requestOf(spec, index)
    this.#tally = tally
    this.#reader = new AnswerReader(spec.endMark)
  }

  /** Asks once; `onEnd` is called when the answer is whole, or has failed. */
  ask(onEnd: () => void): void {
    this.#onEnd = onEnd
    this.#reader.begin(this.#spec.events !== null && this.#asked % SAMPLE === 0)
    this.#asked += 1
    this.#askedAt = performance.now()
    this.#socket ??= this.#open()
    this.#socket.write(this.#request)
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  /** Counts an answer that is still to come as failed. */
  giveUp(): void {
    this.#fail(new Error('an answer took too long'))
  }

  #open(): Socket {
    const { hostname, port } = new URL(this.#spec.url)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    socket.on('data', (bytes) => this.#take(bytes))
    let reason = 'by the other side'
    socket.on('error', (err: NodeJS.ErrnoException) => {
      reason = String(err.code)
    })
    socket.on('close', () => {
      if (this.#socket === socket) this.#fail(new Error(`the connection was closed: ${reason}`))
    })
    return socket
  }

  #take(bytes: Buffer): void {
    if (this.#onEnd === null) return
    const before = this.#reader.firstByteAt
    if (this.#spec.stamped) this.#readStamps(bytes)
    try {
      const whole = this.#reader.push(bytes)
      if (before === 0 && this.#reader.firstByteAt > 0) this.onFirstByte?.()
      if (whole) this.#finish()
    } catch (err) {
      this.#fail(err as Error)
    }
  }

  #readStamps(bytes: Buffer): void {
    const now = Number(process.hrtime.bigint() / 1_000n)
    const text = this.#cut + bytes.toString('latin1')
    let end = 0
    for (const match of text.matchAll(STAMP)) {
      this.#tally.tokenMs.push((now - Number(match[1])) / 1_000)
      end = match.index + match[0].length
    }
    this.#cut = text.slice(Math.max(end, text.length - 24))
  }

  #finish(): void {
    const { body, firstByteAt } = this.#reader
    const { events } = this.#spec
    if (body !== null && events !== null) {
      const found = dechunked(Buffer.concat(body))
        .split('\n')
        .filter((line) => line.startsWith('data:')).length
      if (found !== events) return this.#fail(new Error(`${found} events in place of ${events}`))
    }
    this.#tally.count += 1
    this.#tally.firstByteMs.push(firstByteAt - this.#askedAt)
    this.#end()
  }

  #fail(err: Error): void {
    this.close()
    if (this.#onEnd === null) return
    this.#tally.errors += 1
    this.#tally.firstError ??= err.message
    this.#end()
  }

  #end(): void {
    if (this.#spec.fresh) this.close()
    const onEnd = this.#onEnd
    this.#onEnd = null
    onEnd?.()
  }
}

function requestOf(spec: LoadSpec, index: number): Buffer {
  const body = Buffer.from(JSON.stringify(spec.body))
  const headers = {
    host: new URL(spec.url).host,
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...spec.headers,
    ...spec.headersOf?.[index]
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST ${spec.path} HTTP/1.1\r\n${lines.join('')}\r\n`), body])
}
