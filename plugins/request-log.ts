import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** What else the request's log line says; never a text or a secret. */
    logFields: object | null
    /** The code of the error that the client was told. */
    errorCode: string | null
    /** When all of the request was here, on the clock of `performance.now()`. */
    receivedAt: number
    /** The exchange with the upstream: the line is written when that is over, too. */
    exchange: Promise<void> | null
  }
}

/** One line a request: what was asked for and how it ended. Never a body, a query or a credential. */
export default fp(
  async (app) => {
    app.decorateRequest('logFields', null)
    app.decorateRequest('errorCode', null)
    app.decorateRequest('receivedAt', 0)
    app.decorateRequest('exchange', null)
    app.addHook('onRequest', (request, reply, done) => {
      request.receivedAt = performance.now()
      request.raw.once('end', () => {
        request.receivedAt = performance.now()
      })
      // Not `onResponse`: it never comes for a client that has left.
      reply.raw.once('close', () => {
        const line = lineOf(request, reply)
        const write = () => request.log.info({ ...line, ...request.logFields }, 'request')
        if (request.exchange) request.exchange.then(write, write)
        else write()
      })
      done()
    })
  },
  { name: 'request-log' }
)

function lineOf({ method, routeOptions, errorCode }: FastifyRequest, reply: FastifyReply): object {
  return {
    method,
    route: routeOptions.url ?? null,
    status: reply.raw.statusCode,
    ms: Math.round(reply.elapsedTime),
    ...(errorCode && { code: errorCode }),
    ...(!reply.raw.writableFinished && { aborted: true })
  }
}
