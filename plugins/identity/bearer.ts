import type { FastifyRequest } from 'fastify'
import { ApiError } from '../../errors.ts'

const CREDENTIAL_HEADERS = new Set(['authorization', 'x-api-key', 'api-key'])
const CREDENTIAL_PARAMETERS = new Set([
  'authorization',
  'api_key',
  'api-key',
  'apikey',
  'x-api-key',
  'access_token',
  'token',
  'key'
])
const BEARER = /^Bearer +([\x21-\x7e]+)$/i

/**
 * The credential in `Authorization: Bearer …`, unchecked. Throws `ApiError`: 401 where there is none, 400 where there
 * is more than one, because nobody could say who is meant, or one in the URL, which logs and histories keep.
 */
export function bearerOf({ raw, headers, query }: FastifyRequest): string {
  if (Object.keys(query as object).some((name) => CREDENTIAL_PARAMETERS.has(name.toLowerCase()))) {
    const message = 'A credential belongs into the authorization header, never into the URL.'
    throw new ApiError(400, 'credential_in_url', message)
  }
  // Not `headers`: Node keeps the first of several there, and says nothing of the others.
  const names = raw.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  const given = names.filter((name) => CREDENTIAL_HEADERS.has(name))
  if (given.includes('authorization') && given.length > 1) {
    throw new ApiError(400, 'two_credentials', 'There must be one credential, in one authorization header.')
  }
  const token = BEARER.exec(headers.authorization ?? '')?.[1]
  if (token !== undefined) return token
  throw new ApiError(401, 'credential_required', 'A header "authorization: Bearer …" is needed.', {
    param: 'authorization',
    headers: { 'www-authenticate': 'Bearer' }
  })
}
