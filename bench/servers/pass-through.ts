import type { ServerResponse } from 'node:http'
import Fastify from 'fastify'
import { type Dispatcher, Pool } from 'undici'
import { tell } from './listen.ts'

// What Fastify and undici cost at the least: the body is not parsed, the answer neither read nor stored.
const pool = new Pool(process.argv[2] ?? '', { headersTimeout: 0, bodyTimeout: 0 })
const HEADERS = { 'content-type': 'application/json' }

/** Writes an answer on as it comes. */
class Forward implements Dispatcher.DispatchHandler {
  readonly #client: ServerResponse

  constructor(client: ServerResponse) {
    this.#client = client
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#client.on('close', () => {
      if (!this.#client.writableFinished) controller.abort(new Error('the client left'))
    })
  }

  onResponseStart(_: unknown, statusCode: number, headers: Record<string, string | string[]>): void {
    const { connection: _connection, 'transfer-encoding': _encoding, 'keep-alive': _kept, ...rest } = headers
    this.#client.writeHead(statusCode, rest)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#client.write(chunk)) return
    controller.pause()
    this.#client.once('drain', () => controller.resume())
  }

  onResponseEnd(): void {
    this.#client.end()
  }

  onResponseError(): void {
    this.#client.destroy()
  }
}

const app = Fastify({ bodyLimit: 20_971_520, keepAliveTimeout: 0, requestTimeout: 0 })
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
app.post('/*', (request, reply) => {
  reply.hijack()
  const call = { method: 'POST' as const, path: request.url, headers: HEADERS, body: request.body as Buffer }
  pool.dispatch(call, new Forward(reply.raw))
})
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 })
tell(app.server)
