import { Type } from 'typebox'
import type { JsonObject, Turn } from '../storage/contract.ts'
import { outputItems } from '../storage/dialogue/turn-content.ts'
import { isObject } from '../storage/json-value.ts'
import { AnyObject, Nullable, StoredMetadata, toSeconds } from './shapes.ts'

const RESPONSE = {
  id: Type.String(),
  object: Type.Literal('response'),
  created_at: Type.Number({ description: 'Unix seconds' }),
  status: Type.String(),
  error: Nullable(AnyObject),
  incomplete_details: Nullable(AnyObject),
  model: Type.String(),
  output: Type.Array(AnyObject)
}

/** What OpenAI and what speaks its language answer; every other field is the upstream's. */
export const ResponseView = Type.Object(RESPONSE, {
  title: 'Response',
  description: "The upstream's response, as it came.",
  additionalProperties: true
})

export const StoredResponseView = Type.Unsafe<JsonObject>(
  Type.Object(
    {
      ...RESPONSE,
      store: Type.Literal(true),
      background: Type.Literal(false),
      previous_response_id: Nullable(Type.String()),
      conversation: Type.Object({ id: Type.String() }),
      metadata: StoredMetadata
    },
    {
      title: 'StoredResponse',
      description: "A response that was kept; fields beside these are the upstream's.",
      additionalProperties: true
    }
  )
)

/**
 * A turn as OpenAI's response: the upstream's own object, and what only this service knows of it. `previousId` is the
 * response that it follows.
 */
export function toResponse(turn: Turn, previousId: string | null): JsonObject {
  const answered = isObject(turn.detail?.response) ? turn.detail.response : {}
  return {
    object: 'response',
    created_at: toSeconds(turn.createdAt),
    status: turn.status,
    error: null,
    incomplete_details: null,
    model: turn.model ?? '',
    output: outputItems(turn).filter(isObject),
    ...answered,
    id: turn.completionId ?? turn.id,
    store: true,
    background: false,
    previous_response_id: previousId,
    conversation: { id: turn.conversationId },
    metadata: turn.metadata
  }
}
