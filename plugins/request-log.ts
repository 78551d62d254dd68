import fp from 'fastify-plugin'

/** One line a request: what was asked for and how it ended. Never a body, a query or a credential. */
export default fp(
  async (app) => {
    app.addHook('onResponse', async (request, reply) => {
      const { method, routeOptions } = request
      const turn = reply.raw.getHeader('x-turn-id')
      request.log.info(
        {
          method,
          route: routeOptions.url ?? null,
          status: reply.raw.statusCode,
          ms: Math.round(reply.elapsedTime),
          ...(turn !== undefined && { turn })
        },
        'request'
      )
    })
  },
  { name: 'request-log' }
)
