import { type Static, type TSchema, Type } from 'typebox'
import { ApiError } from '../errors.ts'
import type { Conversation, JsonObject, Page, Turn } from '../storage/contract.ts'

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** OpenAI's limits on metadata: 16 pairs, keys of 64 and values of 512 characters. */
export const Metadata = Type.Record(
  Type.String({ pattern: '^[\\s\\S]{0,64}$' }),
  Type.String({ maxLength: 512 }),
  { maxProperties: 16, additionalProperties: false }
)

/** The same as it is shown. Not `Type.String()`: its pattern does not know line breaks, and such keys would be left out. */
const StoredMetadata = Type.Record(Type.String({ pattern: '^[\\s\\S]*$' }), Type.String())

/** Absent and null are the same. */
export const Nullish = <T extends TSchema>(schema: T) => Type.Optional(Nullable(schema))

/** A conversation as a request names it. */
export const ConversationReference = Type.Union([
  Type.String(),
  Type.Object({ id: Type.String() }, { additionalProperties: false })
])

export const ConversationView = Type.Object({
  id: Type.String(),
  object: Type.Literal('conversation'),
  created_at: Type.Integer({ description: 'Unix seconds' }),
  metadata: StoredMetadata,
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
  kind: Type.String(),
  model: Nullable(Type.String()),
  metadata: StoredMetadata,
  attempt: Type.Integer(),
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
    kind: turn.kind,
    model: turn.model,
    metadata: turn.metadata,
    attempt: turn.attempt,
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

export function toSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}

/** An object whose fields are another's to define. */
export const AnyObject = Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true }))

/** The query of lists that are cut by an id. */
export const pageQuery = (order: 'asc' | 'desc') => ({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  order: Type.Union([Type.Literal('asc'), Type.Literal('desc')], { default: order }),
  after: Type.Optional(Type.String())
})

/** A cursor that is no place in the list that it was sent to. */
export function invalidCursor(name = 'after'): ApiError {
  return new ApiError(400, 'invalid_value', `Invalid '${name}': not an id of this list.`, { param: name })
}

/** The page of a list that is at hand as a whole, oldest first. Throws a 400 when `after` is not in it. */
export function pageOf<T extends { id: string }>(
  list: T[],
  { limit, order, after }: { limit: number; order: 'asc' | 'desc'; after?: string }
): Page<T> {
  const ordered = order === 'asc' ? list : list.toReversed()
  const start = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1
  if (start === 0 && after !== undefined) throw invalidCursor()
  return { data: ordered.slice(start, start + limit), hasMore: ordered.length > start + limit }
}
