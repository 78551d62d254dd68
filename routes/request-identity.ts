import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Question } from '../storage/persistence.ts'

/** How long an idempotency key is known. */
const KEY_LIFE_MS = 86_400_000
/** How long after its beginning a failed attempt is still the one that an SDK tries again. */
const RETRY_WINDOW_MS = 120_000

/** Headers by which a request is known when it is made again. */
export const IDENTITY_HEADERS = {
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  /** Official SDKs count their own attempts in it. */
  'x-stainless-retry-count': Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 }))
}

/** What makes two requests the same: the route, the body and the conversation that the headers name. */
export function identityOf(
  request: Pick<FastifyRequest, 'rawBody' | 'routeOptions'> & {
    headers: {
      'idempotency-key'?: string
      'x-stainless-retry-count'?: number
      'x-conversation-id'?: string
      'x-parent-seq'?: number
    }
  }
): Question['request'] {
  const { headers, rawBody = '' } = request
  const route = request.routeOptions.url ?? ''
  const place = `${headers['x-conversation-id'] ?? ''} ${headers['x-parent-seq'] ?? ''}`
  const key = headers['idempotency-key']
  const now = Date.now()
  return {
    requestHash: createHash('sha256').update(`${route}\n${place}\n`).update(rawBody).digest('hex'),
    idempotencyKey: key === undefined ? null : sha256(`${route}\n${key}`),
    keysSince: now - KEY_LIFE_MS,
    retrySince: (headers['x-stainless-retry-count'] ?? 0) > 0 ? now - RETRY_WINDOW_MS : null
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
