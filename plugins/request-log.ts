import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** What else the request's log line says; never a text or a secret. */
    logFields: Record<string, unknown> | null
  }
}

/** One line a request: what was asked for and how it ended. Never a body, a query or a credential. */
export default fp(
  async (app) => {
    app.decorateRequest('logFields', null)
    app.addHook('onRequest', async (request, reply) => {
      // Not `onResponse`: it never comes for a client that has left.
      reply.raw.once('close', () => log(request, reply))
    })
  },
  { name: 'request-log' }
)

function log(request: FastifyRequest, reply: FastifyReply): void {
  const { method, routeOptions, logFields } = request
  request.log.info(
    {
      method,
      route: routeOptions.url ?? null,
      status: reply.raw.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(!reply.raw.writableFinished && { aborted: true }),
      ...logFields
    },
    'request'
  )
}
