import type { FastifyInstance, FastifyReply } from 'fastify'
import { Counter, Histogram, type Registry } from 'prom-client'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'])

/** Counts and times requests, by the template of their route: what a client chooses never becomes a label. */
export function measureHttp(app: FastifyInstance, registry: Registry): void {
  const registers = [registry]
  const requests = new Counter({
    name: 'turnkeeper_http_requests_total',
    help: 'Requests, by route, method and class of status; aborted: the client left before its answer was whole.',
    labelNames: ['route', 'method', 'status'],
    registers
  })
  const duration = new Histogram({
    name: 'turnkeeper_http_request_seconds',
    help: 'Time from the head of a request to the last byte of its answer, by route.',
    labelNames: ['route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers
  })
  const refusals = new Counter({
    name: 'turnkeeper_refusals_total',
    help: 'Requests that this server itself answered with an error, by its code.',
    labelNames: ['code'],
    registers
  })

  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.once('close', () => {
      const route = request.routeOptions.url ?? 'none'
      const method = METHODS.has(request.method) ? request.method : 'other'
      requests.inc({ route, method, status: statusOf(reply) })
      duration.observe({ route }, reply.elapsedTime / 1000)
      if (request.errorCode !== null) refusals.inc({ code: request.errorCode })
    })
    done()
  })
}

function statusOf({ raw }: FastifyReply): string {
  return raw.writableFinished ? `${Math.floor(raw.statusCode / 100)}xx` : 'aborted'
}
