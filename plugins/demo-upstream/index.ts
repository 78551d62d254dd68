import type { AddressInfo } from 'node:net'
import fp from 'fastify-plugin'
import { createDemoServer } from './server.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Base URL of the demo upstream, which listens on a free loopback port. */
    demoUpstreamUrl: string
  }
}

/** Serves when no upstream is configured: a small OpenAI-compatible server of our own, on a real socket. */
export default fp(
  async (app) => {
    const server = createDemoServer()
    await server.listen({ host: '127.0.0.1', port: 0 })
    const { port } = server.server.address() as AddressInfo
    app.decorate('demoUpstreamUrl', `http://127.0.0.1:${port}/v1`)
    app.addHook('onClose', () => server.close())
    app.log.warn(
      'no upstream is configured: the built-in demo answers; set OPENAI_BASE_URL or OPENAI_API_KEY'
    )
  },
  { name: 'demo-upstream' }
)
