import { LRUCache } from 'lru-cache'
import { ApiError } from '../../errors.ts'
import type { ApiKey, ApiKeys } from '../../storage/contract.ts'
import { isDigestOf, readApiKey } from '../../storage/keys/api-key.ts'
import { bearerOf } from './bearer.ts'
import type { Identify } from './identify.ts'

/** A revoked key works no longer than this on any instance. */
const KNOWN_FOR_MS = 3_000
const MAX_KNOWN = 10_000

/** `AUTH=key`: the session is that of the API key. Rejects with `StoreError` when the store cannot be asked. */
export function identifyByKey(keys: ApiKeys): Identify {
  const known = new LRUCache<string, ApiKey>({ max: MAX_KNOWN, ttl: KNOWN_FOR_MS })

  async function find(id: string): Promise<ApiKey | null> {
    const cached = known.get(id)
    if (cached) return cached
    const start = performance.now() // before the store looks: a key may be revoked while its answer is under way
    const found = await keys.find(id)
    // What is not there is not kept: a new key works at once, and invented ones push none out.
    if (found) known.set(id, found, { start })
    return found
  }

  return async (request) => {
    const { id, digest } = readApiKey(bearerOf(request))
    const key = id === null ? null : await find(id)
    const right = isDigestOf(key, digest)
    if (key && right) return key.sessionId
    throw new ApiError(401, 'invalid_api_key', 'The API key is not valid.', {
      param: 'authorization',
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' }
    })
  }
}
