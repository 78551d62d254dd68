import { type Static, type TSchema, Type } from 'typebox'
import type { Conversation, Page, Turn } from '../storage/contract.ts'

/** OpenAI's limits on metadata: 16 pairs, keys of 64 and values of 512 characters. */
export const Metadata = Type.Record(
  Type.String({ pattern: '^[\\s\\S]{0,64}$' }),
  Type.String({ maxLength: 512 }),
  { maxProperties: 16, additionalProperties: false }
)

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const ConversationView = Type.Object({
  id: Type.String(),
  object: Type.Literal('conversation'),
  created_at: Type.Integer({ description: 'Unix seconds' }),
  metadata: Type.Record(Type.String(), Type.String()),
  title: Nullable(Type.String()),
  model: Nullable(Type.String()),
  pinned: Type.Boolean(),
  last_seq: Type.Integer(),
  active_at: Type.Integer({ description: 'Unix seconds' })
})

export function toConversationView(conversation: Conversation): Static<typeof ConversationView> {
  return {
    id: conversation.id,
    object: 'conversation',
    created_at: toSeconds(conversation.createdAt),
    metadata: conversation.metadata,
    title: conversation.title,
    model: conversation.model,
    pinned: conversation.pinned,
    last_seq: conversation.lastSeq,
    active_at: toSeconds(conversation.activeAt)
  }
}

export const TurnView = Type.Object({
  id: Type.String(),
  object: Type.Literal('conversation.turn'),
  conversation_id: Type.String(),
  seq: Type.Integer(),
  parent_seq: Type.Integer({ description: 'The turn this one follows; 0 = the beginning' }),
  superseded: Type.Boolean(),
  created_at: Type.Integer({ description: 'Unix seconds' }),
  status: Type.String(),
  error: Nullable(Type.String()),
  finish_reason: Nullable(Type.String()),
  completion_id: Nullable(Type.String()),
  user_text: Nullable(Type.String()),
  assistant_text: Nullable(Type.String()),
  detail: Nullable(Type.Object({}, { additionalProperties: true }))
})

export function toTurnView(turn: Turn): Static<typeof TurnView> {
  return {
    id: turn.id,
    object: 'conversation.turn',
    conversation_id: turn.conversationId,
    seq: turn.seq,
    parent_seq: turn.parentSeq,
    superseded: turn.superseded,
    created_at: toSeconds(turn.createdAt),
    status: turn.status,
    error: turn.error,
    finish_reason: turn.finishReason,
    completion_id: turn.completionId,
    user_text: turn.userText,
    assistant_text: turn.assistantText,
    detail: turn.detail
  }
}

/** OpenAI's list envelope. */
export const ListView = <T extends TSchema>(item: T) =>
  Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    first_id: Nullable(Type.String()),
    last_id: Nullable(Type.String()),
    has_more: Type.Boolean()
  })

export function toListView<T, V extends { id: string }>(page: Page<T>, toView: (row: T) => V) {
  const data = page.data.map(toView)
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: page.hasMore
  }
}

function toSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}
