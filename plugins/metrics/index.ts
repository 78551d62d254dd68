import { createHash, timingSafeEqual } from 'node:crypto'
import fp from 'fastify-plugin'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { Type } from 'typebox'
import { isLoopback } from '../../config.ts'
import { ApiError } from '../../errors.ts'
import { assertLoopbackName } from '../loopback-name.ts'
import { measureHttp } from './http.ts'
import { createInstruments } from './instruments.ts'
import { readFigures } from './read-figures.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What other parts measure as it happens. What they count they keep, and it is read from there. */
    metrics: ReturnType<typeof createInstruments>
  }
}

export interface MetricsOptions {
  /** The bearer token that a scrape needs. */
  token: string | undefined
  /** Where the server listens: without a token, only a loopback address shows the figures. */
  host: string
}

const SCHEMA = {
  operationId: 'getMetrics',
  summary: 'Figures in the format of Prometheus',
  tags: ['Operations'],
  response: { 200: { description: 'The figures.', content: { 'text/plain': { schema: Type.String() } } } }
}

/** `GET /metrics` in Prometheus' format; decorates `metrics`. No label holds what a client has chosen. */
export default fp<MetricsOptions>(
  async (app, { token, host }) => {
    const registry = new Registry()
    app.decorate('metrics', createInstruments(registry))
    measureHttp(app, registry)
    readFigures(app, registry)
    if (token === undefined && !isLoopback(host)) return

    const read = sharing(() => {
      // At the first scrape: what it watches the process with cannot be switched off again.
      if (!registry.getSingleMetric('process_cpu_seconds_total'))
        collectDefaultMetrics({ register: registry })
      return registry.metrics()
    })
    app.get('/metrics', { schema: SCHEMA }, async (request, reply) => {
      if (token === undefined) assertLoopbackName(request.headers.host)
      else assertToken(request.headers.authorization, token)
      return reply.type(registry.contentType).send(await read())
    })
  },
  { name: 'metrics', dependencies: ['request-log', 'error-shape'] }
)

/** Who asks while an answer is being made gets that one. */
function sharing<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= work().finally(() => {
      running = undefined
    })
    return running
  }
}

/** Throws the 401 of a scrape with another token or none. Takes as long for a nearly right one. */
function assertToken(header: string | undefined, token: string): void {
  const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? ''
  if (timingSafeEqual(digest(given), digest(token))) return
  throw new ApiError(401, 'invalid_token', 'The token is not valid.', {
    param: 'authorization',
    headers: { 'www-authenticate': 'Bearer' }
  })
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
