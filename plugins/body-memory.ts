import fp from 'fastify-plugin'
import { ApiError } from '../errors.ts'

export interface BodyMemory {
  /** Most bytes of request bodies at one time in this process; 0 = no limit. */
  maxBytes: number
  /** What a body counts whose length is not told. */
  bytesUntold: number
}

/** A session may have this part of it, so that one alone does not keep out the others. */
const SHARE = 0.25
const SOON = { headers: { 'retry-after': '1' } }

/**
 * Bounds what the bodies of requests under way take of the memory, for the scope it is registered in: from before the
 * first byte of a body until its answer is over.
 */
export default fp<BodyMemory>(
  async (app, { maxBytes, bytesUntold }) => {
    if (maxBytes === 0) return
    const takenBy = new Map<string, number>()
    let taken = 0

    app.addHook('preParsing', async ({ headers, sessionId, raw }, reply) => {
      if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
      const told = Number(headers['content-length'] ?? bytesUntold)
      const bytes = Math.min(told, bytesUntold) // a larger body is refused unread
      const own = takenBy.get(sessionId) ?? 0
      if (taken + bytes > maxBytes) {
        const message = 'This server holds as many request bodies as it may (MAX_BODIES_BYTES).'
        throw new ApiError(503, 'server_busy', message, SOON)
      }
      if (own > 0 && own + bytes > SHARE * maxBytes) {
        const message = 'The requests under way are as large as they may be together (MAX_BODIES_BYTES).'
        throw new ApiError(429, 'rate_limit_exceeded', message, SOON)
      }
      if (raw.destroyed) return
      taken += bytes
      takenBy.set(sessionId, own + bytes)
      reply.raw.once('close', () => {
        taken -= bytes
        const left = (takenBy.get(sessionId) ?? 0) - bytes
        if (left > 0) takenBy.set(sessionId, left)
        else takenBy.delete(sessionId)
      })
    })
  },
  { name: 'body-memory', dependencies: ['identity'] }
)
