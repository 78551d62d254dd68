import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../../config.ts'
import type { TurnRef } from '../../storage/persistence.ts'
import { createLiveExchanges } from './live-exchanges.ts'
import { type Course, createMeter, type ProxyFigures } from './meter.ts'
import { type RelayOptions, relay } from './relay.ts'
import { createUpstream } from './upstream.ts'

type ExchangeOptions = Pick<RelayOptions, 'reader' | 'onDisconnect' | 'explainError' | 'maxBytes'> & {
  /** Write 1, and what the upstream gets. Null when the reply has been sent already. Its error becomes the reply. */
  begin(): Promise<ExchangeStart | null>
}

/** `turn` is null when nothing is to be recorded; `match` says how its conversation was found. */
export type ExchangeStart = Pick<RelayOptions, 'turn' | 'request'> & { match: string | null }

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers `reply` from the upstream. Resolves when the exchange, its write included, is over. */
    relay(reply: FastifyReply, options: ExchangeOptions): Promise<void>
    /** Exchanges under way, and the bytes that wait here for their clients. */
    exchanges: { readonly open: number; readonly bufferedBytes: number }
  }
}

export interface ProxyOptions {
  /** Base URL of the upstream, up to and including `/v1`. */
  baseUrl: string
  apiKey: string | undefined
  config: Config
  figures: ProxyFigures
}

/** Talks to the upstream; decorates `relay`. Closing waits for running exchanges, then ends them. */
export default fp<ProxyOptions>(
  async (app, { baseUrl, apiKey, config, figures }) => {
    const upstream = createUpstream(baseUrl, apiKey)
    const live = createLiveExchanges()
    const context = {
      upstream,
      persistence: app.persistence,
      maxAnswerBytes: config.MAX_ANSWER_BYTES,
      headersTimeoutMs: config.UPSTREAM_HEADERS_TIMEOUT_MS,
      idleTimeoutMs: config.UPSTREAM_IDLE_TIMEOUT_MS,
      maxAnswerMs: config.MAX_ANSWER_MS
    }

    app.decorate('relay', async (reply, { begin, ...options }) => {
      const leave = app.streams.enter(reply.request.sessionId)
      const started = begin().then((start) => {
        if (start === null) return null
        const { turn, match, ...call } = start
        // From here the exchange owns the socket: a client that leaves must not stop the copying.
        reply.hijack()
        const onProblem = (message: string, cause: unknown) => reply.log.warn({ err: cause }, message)
        const course: Course = {}
        reply.request.logFields = Object.assign(course, turn && { turn: turn.id })
        return relay(context, {
          ...options,
          ...call,
          turn,
          client: reply.raw,
          headers: headersOf(reply, turn, match),
          onProblem,
          meter: createMeter(figures, reply.request.receivedAt, course)
        })
      })
      const over = live.track(started).finally(leave)
      reply.request.exchange = over
      await over
    })

    app.decorate('exchanges', live)

    app.addHook('preClose', async () => {
      await live.drain(config.DRAIN_TIMEOUT_MS)
      await app.lifecycle.disconnected()
      await live.drain(0) // what began on the last connections
    })
    app.addHook('onClose', () => upstream.close())
  },
  { name: 'proxy', dependencies: ['storage', 'request-log', 'lifecycle', 'stream-limits'] }
)

/** What other plugins have set, CORS for one, and what names the turn. */
function headersOf(reply: FastifyReply, turn: TurnRef | null, match: string | null): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(reply.getHeaders())) headers[name] = String(value)
  if (match !== null) headers['x-conversation-match'] = match
  if (!turn) return headers
  headers['x-conversation-id'] = turn.conversationId
  headers['x-turn-id'] = turn.id
  headers['x-turn-seq'] = String(turn.seq)
  return headers
}
