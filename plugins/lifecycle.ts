import { Server } from 'node:net'
import fp from 'fastify-plugin'
import { Type } from 'typebox'
import { ApiError } from '../errors.ts'
import { createProbe } from './probe.ts'

declare module 'fastify' {
  interface FastifyInstance {
    lifecycle: {
      /** Set before closing: load balancers are told to look elsewhere while requests are still served. */
      draining: boolean
      /** Resolves when no connection is left; cuts those that are still there after a while. */
      disconnected(): Promise<void>
    }
  }
}

const Health = Type.Object({ status: Type.Literal('ok') }, { title: 'Health', description: 'All is well.' })

/** How long connections may linger once every exchange is over: a body that never ends must not hold the close. */
const LINGER_MS = 2_000
/** How long `/readyz` waits for the store; load balancers give up after a second or two. */
const PING_TIMEOUT_MS = 900

/**
 * Health probes and the order of closing: the port first, so that a load balancer goes on to the next instance.
 * What comes on connections that are still there is served, and they are closed after it.
 */
export default fp(
  async (app) => {
    let closed: Promise<void> | undefined
    const lifecycle = {
      draining: false,
      async disconnected() {
        app.server.closeIdleConnections()
        const timer = setTimeout(() => app.server.closeAllConnections(), LINGER_MS)
        await closed
        clearTimeout(timer)
      }
    }
    app.decorate('lifecycle', lifecycle)

    app.addHook('onRequest', (_request, reply, done) => {
      if (lifecycle.draining) reply.header('connection', 'close')
      done()
    })
    app.addHook('preClose', async () => {
      lifecycle.draining = true
      // Only the port: the HTTP server's own close would also cut clients that still read their last bytes.
      closed = new Promise((resolve) => Server.prototype.close.call(app.server, () => resolve()))
    })

    const probe = (operationId: string, summary: string) => ({
      schema: { operationId, summary, tags: ['Operations'], response: { 200: Health } }
    })
    const ping = createProbe(() => app.store.ping(), PING_TIMEOUT_MS)
    app.get('/livez', probe('getLiveness', '200 while the process serves'), async () => ({ status: 'ok' }))
    const ready = probe('getReadiness', '200 when the store answers and no shutdown has begun')
    app.get('/readyz', ready, async () => {
      if (lifecycle.draining) throw new ApiError(503, 'server_shutdown', 'The server is shutting down.')
      await ping()
      return { status: 'ok' }
    })
  },
  { name: 'lifecycle', dependencies: ['storage'] }
)
