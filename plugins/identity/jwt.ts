import { errors, type JWTPayload, jwtVerify } from 'jose'
import { type Config, ConfigError } from '../../config.ts'
import { ApiError } from '../../errors.ts'
import { isSessionId } from '../../storage/session-id.ts'
import { bearerOf } from './bearer.ts'
import type { Identify } from './identify.ts'
import { authUnavailable, remoteKeySet } from './key-set.ts'

/** With a public key only: a key that checks must not be one that signs. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
]
const CLOCK_TOLERANCE_S = 30
/** Three parts in base64url without padding (RFC 7515, 7.1); jose would take padding too. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

export type JwtSettings = Pick<Config, 'JWT_JWKS_URL' | 'JWT_ISSUER' | 'JWT_AUDIENCE' | 'JWT_SESSION_CLAIM'>

/** `AUTH=jwt`: the session is a claim of a token that the issuer has signed for this service. */
export function identifyByJwt(settings: JwtSettings): Identify {
  const { JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE, JWT_SESSION_CLAIM } = settings
  // jose checks only what it is given.
  if (!JWT_JWKS_URL || !JWT_ISSUER || !JWT_AUDIENCE) throw new ConfigError('AUTH', 'jwt lacks a setting')
  const keyOf = remoteKeySet(JWT_JWKS_URL)
  const expected = {
    algorithms: ALGORITHMS,
    issuer: JWT_ISSUER,
    audience: JWT_AUDIENCE,
    requiredClaims: ['exp', JWT_SESSION_CLAIM],
    clockTolerance: CLOCK_TOLERANCE_S
  }

  return async (request) => {
    const token = bearerOf(request)
    if (!COMPACT.test(token)) throw invalidToken()
    const payload: JWTPayload = await jwtVerify(token, keyOf, expected).then(
      (verified) => verified.payload,
      (err) => {
        if (err instanceof ApiError) throw err
        // Anything else is the fault of a key of the set, such as one that is too short.
        if (!(err instanceof errors.JOSEError)) throw authUnavailable(err)
        request.logFields = { refused: err.code } // and not the error itself: it holds the claims
        throw invalidToken()
      }
    )
    const session = payload[JWT_SESSION_CLAIM]
    // `1e999` is JSON, and a time that never comes.
    if (!Number.isFinite(payload.exp) || !isSessionId(session)) throw invalidToken()
    return session
  }
}

function invalidToken(): ApiError {
  return new ApiError(401, 'invalid_token', 'The token is not valid.', {
    param: 'authorization',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' }
  })
}
