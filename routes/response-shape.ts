import type { JsonObject, Turn } from '../storage/contract.ts'
import { outputItems } from '../storage/dialogue/turn-content.ts'
import { isObject } from '../storage/json-value.ts'
import { toSeconds } from './shapes.ts'

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
