import fp from 'fastify-plugin'
import { ApiError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    lifecycle: {
      /** Set before closing: load balancers are told to look elsewhere while requests are still served. */
      draining: boolean
    }
  }
}

/** Health probes; once closing has begun, requests on kept connections are refused. */
export default fp(
  async (app) => {
    const lifecycle = { draining: false }
    let closing = false
    app.decorate('lifecycle', lifecycle)

    app.addHook('onRequest', async (_request, reply) => {
      if (lifecycle.draining) reply.header('connection', 'close')
      if (closing) throw new ApiError(503, 'server_shutdown', 'The server is shutting down.')
    })
    app.addHook('preClose', async () => {
      lifecycle.draining = true
      closing = true
    })

    app.get('/livez', async () => ({ status: 'ok' }))
    app.get('/readyz', async () => {
      if (lifecycle.draining) throw new ApiError(503, 'server_shutdown', 'The server is shutting down.')
      await app.store.ping()
      return { status: 'ok' }
    })
  },
  { name: 'lifecycle', dependencies: ['storage'] }
)
