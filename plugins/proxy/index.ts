import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../../config.ts'
import { createLiveExchanges } from './live-exchanges.ts'
import { type RelayOptions, relay } from './relay.ts'
import { createUpstream } from './upstream.ts'

type ExchangeOptions = Pick<RelayOptions, 'request' | 'reader' | 'turn' | 'onDisconnect'>

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers `reply` from the upstream. Resolves when the exchange, its write included, is over. */
    relay(reply: FastifyReply, options: ExchangeOptions): Promise<void>
  }
}

export interface ProxyOptions {
  /** Base URL of the upstream, up to and including `/v1`. */
  baseUrl: string
  apiKey: string | undefined
  config: Config
}

/** How long sockets may linger once every exchange is over: a body that never ends must not hold the close. */
const LINGER_MS = 2_000

/** Talks to the upstream; decorates `relay`. Closing waits for running exchanges, then ends them. */
export default fp<ProxyOptions>(
  async (app, { baseUrl, apiKey, config }) => {
    const upstream = createUpstream(baseUrl, apiKey)
    const live = createLiveExchanges()
    const context = {
      upstream,
      persistence: app.persistence,
      maxAnswerBytes: config.MAX_ANSWER_BYTES,
      headersTimeoutMs: config.UPSTREAM_HEADERS_TIMEOUT_MS,
      idleTimeoutMs: config.UPSTREAM_IDLE_TIMEOUT_MS
    }

    app.decorate('relay', (reply, options) => {
      // From here the exchange owns the socket: a client that leaves must not stop the copying.
      reply.hijack()
      const headers = Object.fromEntries(
        Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)])
      )
      const { turn } = options
      if (turn) {
        headers['x-conversation-id'] = turn.conversationId
        headers['x-turn-id'] = turn.id
        headers['x-turn-seq'] = String(turn.seq)
        reply.request.logFields = { turn: turn.id }
      }
      const onProblem = (message: string, cause: unknown) => reply.log.warn({ err: cause }, message)
      return live.track(relay(context, { ...options, client: reply.raw, headers, onProblem }))
    })

    app.addHook('preClose', async () => {
      await live.drain(config.DRAIN_TIMEOUT_MS)
      setTimeout(() => app.server.closeAllConnections(), LINGER_MS).unref()
    })
    app.addHook('onClose', () => upstream.close())
  },
  { name: 'proxy', dependencies: ['storage', 'request-log'] }
)
