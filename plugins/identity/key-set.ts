import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose'
import { ApiError } from '../../errors.ts'

const COOLDOWN_MS = 30_000
const MAX_AGE_MS = 600_000
const TIMEOUT_MS = 5_000
/** A key server that fails is asked no more often than this; jose's own cooldown begins with a success. */
const RETRY_AFTER_MS = 1_000

/** Faults of the token: it names no key of the set, or not clearly one. */
const OF_THE_TOKEN = new Set([
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JOSE_NOT_SUPPORTED'
])

/**
 * Finds the public key of a token in the issuer's set, which is kept for ten minutes and read anew for a key id that
 * is not in it, at most every 30 s. Whatever addresses and keys the token itself brings are not looked at, and
 * redirects are not followed. Rejects with a 503 `ApiError` when the set cannot be had.
 */
export function remoteKeySet(url: string): JWTVerifyGetKey {
  let askedAt = Number.NEGATIVE_INFINITY
  const keySet = createRemoteJWKSet(new URL(url), {
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: MAX_AGE_MS,
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: async (...args) => {
      // The wall clock, as jose has it; it may be set back.
      if (Math.abs(Date.now() - askedAt) < RETRY_AFTER_MS) throw new Error('the key set failed a moment ago')
      askedAt = Date.now()
      return await fetch(...args)
    }
  })
  return async (header, token) => {
    try {
      return await keySet(header, token)
    } catch (err) {
      if (err instanceof errors.JOSEError && OF_THE_TOKEN.has(err.code)) throw err
      throw authUnavailable(err)
    }
  }
}

/** Nobody can say now whether a token is right. */
export function authUnavailable(cause: unknown): ApiError {
  return new ApiError(503, 'auth_unavailable', 'Tokens cannot be checked at the moment.', {
    cause,
    headers: { 'retry-after': String(RETRY_AFTER_MS / 1000) }
  })
}
