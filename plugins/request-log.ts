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
    app.addHook('onResponse', async (request, reply) => {
      const { method, routeOptions, logFields } = request
      request.log.info(
        {
          method,
          route: routeOptions.url ?? null,
          status: reply.raw.statusCode,
          ms: Math.round(reply.elapsedTime),
          ...logFields
        },
        'request'
      )
    })
  },
  { name: 'request-log' }
)
