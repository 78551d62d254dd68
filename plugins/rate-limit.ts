import { createHash } from 'node:crypto'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { Redis } from 'ioredis'
import { ApiError } from '../errors.ts'

type Counter = ReturnType<FastifyInstance['createRateLimit']>

export interface RateLimitOptions {
  /** Most requests of one session in a minute; 0 = no limit. */
  perMinute: number
  /** Where instances count together; undefined = each alone. */
  redisUrl: string | undefined
}

const MINUTE_MS = 60_000
/** Counts that are kept in memory; those of sessions that have been quiet for longest go first. */
const MAX_SESSIONS = 50_000
const KEYS = 'turnkeeper:requests:'
const CONNECT_MS = 1_000
/** A Redis that answers later counts as gone. */
const COMMAND_MS = 500
/** How long this instance counts alone before it tries a Redis again that failed. */
const ALONE_MS = 1_000
const MAX_RECONNECT_MS = 2_000

/**
 * Limits the requests of a session, in the scope it is registered in and after the session is known. Each answer says
 * in OpenAI's headers how many are left; one too many is a 429. While Redis cannot be reached each instance counts
 * for itself: requests go on.
 */
export default fp<RateLimitOptions>(
  async (app, { perMinute, redisUrl }) => {
    if (perMinute === 0) return
    const alone = await createCounter(app, perMinute)
    const count = redisUrl === undefined ? alone : await createSharedCounter(app, perMinute, redisUrl, alone)

    app.addHook('onRequest', async (request, reply) => {
      const counted = await count(request)
      if (counted.isAllowed) return
      const { max, remaining, ttlInSeconds, isExceeded } = counted
      setHeaders(reply, { limit: max, remaining, reset: `${ttlInSeconds}s` })
      if (!isExceeded) return
      const message = `More than ${max} requests in a minute (RATE_LIMIT_PER_MINUTE).`
      const headers = { 'retry-after': String(ttlInSeconds) }
      throw new ApiError(429, 'rate_limit_exceeded', message, { headers })
    })
  },
  { name: 'rate-limit', dependencies: ['identity'] }
)

/** The names are OpenAI's, and come before an upstream's own: those count what all sessions share. */
function setHeaders(reply: FastifyReply, values: { limit: number; remaining: number; reset: string }): void {
  for (const [name, value] of Object.entries(values)) reply.header(`x-ratelimit-${name}-requests`, value)
}

/** Counts the requests of each session; in a scope of its own, because the package keeps one store a scope. */
async function createCounter(app: FastifyInstance, max: number, redis?: Redis): Promise<Counter> {
  let counter: Counter | undefined
  await app.register(async (scope) => {
    await scope.register(rateLimit, {
      global: false,
      max,
      timeWindow: MINUTE_MS,
      cache: MAX_SESSIONS,
      // Hashed: a session may be an e-mail address, and a key is to be short.
      keyGenerator: ({ sessionId }) => createHash('sha256').update(sessionId).digest('base64url'),
      ...(redis && { redis, nameSpace: KEYS })
    })
    counter = scope.createRateLimit()
  })
  return counter as Counter
}

/** Counts in Redis, and with `alone` while that fails. */
async function createSharedCounter(
  app: FastifyInstance,
  max: number,
  url: string,
  alone: Counter
): Promise<Counter> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_MS)
  })
  let lost = false
  let aloneUntil = 0
  const onLost = (err: Error) => {
    aloneUntil = performance.now() + ALONE_MS
    if (lost) return
    lost = true
    // The message alone: the error holds the command, which may be the password.
    app.log.warn({ reason: err.message }, 'Redis cannot be reached: this instance counts requests alone')
  }
  const onFound = () => {
    aloneUntil = 0
    if (lost) app.log.info('Redis is there again: requests are counted together')
    lost = false
  }
  redis.on('error', onLost)
  redis.on('ready', onFound)
  app.addHook('onClose', async () => redis.disconnect())
  await redis.connect().catch(onLost)
  const shared = await createCounter(app, max, redis)

  return async (request) => {
    const now = performance.now()
    if (now < aloneUntil) return await alone(request)
    // Of a Redis that was lost this request finds out; the others are not to wait for it too.
    if (lost) aloneUntil = now + COMMAND_MS + ALONE_MS
    try {
      const counted = await shared(request)
      onFound()
      return counted
    } catch (err) {
      onLost(err as Error)
      return await alone(request)
    }
  }
}
