import fp from 'fastify-plugin'
import { ApiError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The answers under way in this process, JSON ones too. */
    streams: {
      readonly open: number
      /** Sessions that have any. */
      readonly sessions: number
      /**
       * Takes a place for an answer; the function gives it back. Throws 503 `server_busy` when this process has
       * none left, and 429 `rate_limit_exceeded` when the session has none.
       */
      enter(sessionId: string): () => void
    }
  }
}

export interface StreamLimits {
  /** Most answers under way in this process; 0 = no limit. */
  max: number
  /** Most of one session; 0 = no limit. */
  maxPerSession: number
}

const SOON = { headers: { 'retry-after': '1' } }

/** Counts the answers under way; decorates `streams`. */
export default fp<StreamLimits>(
  async (app, { max, maxPerSession }) => {
    const openOf = new Map<string, number>()
    let open = 0

    app.decorate('streams', {
      get open() {
        return open
      },
      get sessions() {
        return openOf.size
      },
      enter(sessionId: string) {
        const own = openOf.get(sessionId) ?? 0
        if (max > 0 && open >= max) {
          // Another instance may have a place: load balancers go on at a 503.
          throw new ApiError(503, 'server_busy', 'This server answers as many as it may (MAX_STREAMS).', SOON)
        }
        if (maxPerSession > 0 && own >= maxPerSession) {
          const message = 'As many answers as allowed are under way already (MAX_STREAMS_PER_SESSION).'
          throw new ApiError(429, 'rate_limit_exceeded', message, SOON)
        }
        open += 1
        openOf.set(sessionId, own + 1)
        return () => {
          open -= 1
          const left = (openOf.get(sessionId) ?? 1) - 1
          if (left > 0) openOf.set(sessionId, left)
          else openOf.delete(sessionId)
        }
      }
    })
  },
  { name: 'stream-limits' }
)
