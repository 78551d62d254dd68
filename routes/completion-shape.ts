import type { JsonObject, Turn } from '../storage/contract.ts'
import { choicesOf } from '../storage/dialogue/turn-content.ts'
import { toSeconds } from './shapes.ts'

/** A turn as OpenAI's chat completion. `id` is the upstream's, where that names this turn alone. */
export function toCompletion(turn: Turn, id = turn.completionId ?? turn.id): JsonObject {
  const { detail } = turn
  return {
    id,
    object: 'chat.completion',
    created: toSeconds(turn.createdAt),
    model: turn.model ?? '',
    choices: choicesOf(turn).map(({ index, message, finishReason }) => ({
      index,
      message: { refusal: null, ...message },
      finish_reason: finishReason,
      logprobs: null
    })),
    ...(detail?.usage !== undefined && { usage: detail.usage }),
    metadata: turn.metadata
  }
}

/** An input message as OpenAI lists it for a stored completion. */
export function toCompletionMessage(message: JsonObject, id: string): JsonObject & { id: string } {
  const { content } = message
  const parts = Array.isArray(content) ? content : null
  return { refusal: null, ...message, id, content: parts ? null : (content ?? null), content_parts: parts }
}
