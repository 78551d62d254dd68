import { Type } from 'typebox'
import type { JsonObject, Turn } from '../storage/contract.ts'
import { choicesOf } from '../storage/dialogue/turn-content.ts'
import { AnyObject, Nullable, StoredMetadata, toSeconds } from './shapes.ts'

const Choice = Type.Object(
  {
    index: Type.Integer(),
    message: Type.Object({ role: Type.String() }, { additionalProperties: true }),
    finish_reason: Nullable(Type.String())
  },
  { additionalProperties: true }
)
const COMPLETION = {
  id: Type.String(),
  object: Type.Literal('chat.completion'),
  created: Type.Integer({ description: 'Unix seconds' }),
  model: Type.String(),
  choices: Type.Array(Choice),
  usage: Type.Optional(Nullable(AnyObject))
}

/** What OpenAI and what speaks its language answer; every other field is the upstream's. */
export const CompletionView = Type.Object(COMPLETION, {
  title: 'ChatCompletion',
  description: "The upstream's chat completion, as it came.",
  additionalProperties: true
})

export const StoredCompletionView = Type.Unsafe<JsonObject>(
  Type.Object(
    { ...COMPLETION, metadata: StoredMetadata },
    { title: 'StoredChatCompletion', description: 'A chat completion that was kept.' }
  )
)

export const CompletionMessageView = Type.Unsafe<JsonObject>(
  Type.Object(
    {
      id: Type.String(),
      role: Type.String(),
      content: Nullable(Type.String()),
      content_parts: Nullable(Type.Array(AnyObject)),
      refusal: Nullable(Type.String())
    },
    {
      title: 'StoredChatMessage',
      description: 'A message that the model was sent.',
      additionalProperties: true
    }
  )
)

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
