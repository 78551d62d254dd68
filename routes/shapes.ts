import { type Static, type TSchema, Type } from 'typebox'
import { ApiError } from '../errors.ts'
import type {
  Conversation,
  JsonObject,
  Page,
  Turn,
  TurnErrorCode,
  TurnKind,
  TurnStatus
} from '../storage/contract.ts'

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/**
 * One of these words, all of `T`. Not a union of literals: a serializer would refuse a word that a newer version has
 * stored.
 */
const Word = <T extends string>(words: Record<T, true>) =>
  Type.Unsafe<T>({ type: 'string', enum: Object.keys(words) })
const NullableWord = <T extends string>(words: Record<T, true>) =>
  Type.Unsafe<T | null>({ type: ['string', 'null'], enum: [...Object.keys(words), null] })

export const MAX_METADATA_PAIRS = 16

/** OpenAI's limits on metadata: 16 pairs, keys of 64 and values of 512 characters. */
export const Metadata = Type.Record(
  Type.String({ pattern: '^[\\s\\S]{0,64}$' }),
  Type.String({ maxLength: 512 }),
  {
    title: 'Metadata',
    description: 'Up to 16 pairs, keys of up to 64 and values of up to 512 characters.',
    maxProperties: MAX_METADATA_PAIRS,
    additionalProperties: false
  }
)

/** The same as it is shown. Not `Type.String()`: its pattern does not know line breaks, and such keys would be left out. */
export const StoredMetadata = Type.Record(Type.String({ pattern: '^[\\s\\S]*$' }), Type.String())

/** Absent and null are the same. */
export const Nullish = <T extends TSchema>(schema: T) => Type.Optional(Nullable(schema))

/** A conversation as a request names it. */
export const ConversationReference = Type.Union([
  Type.String(),
  Type.Object({ id: Type.String() }, { additionalProperties: false })
])

export const ConversationView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('conversation'),
    created_at: Type.Integer({ description: 'Unix seconds' }),
    metadata: StoredMetadata,
    title: Nullable(Type.String()),
    model: Nullable(Type.String({ description: 'The model of the newest turn' })),
    pinned: Type.Boolean(),
    last_seq: Type.Integer({ description: 'The seq of the newest turn; 0 = there is none' }),
    active_at: Type.Integer({ description: 'When the newest turn began; Unix seconds' })
  },
  { title: 'Conversation', description: 'A conversation.' }
)

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

export const TurnView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('conversation.turn'),
    conversation_id: Type.String(),
    seq: Type.Integer({ description: 'The number in the conversation, from 1' }),
    parent_seq: Type.Integer({ description: 'The turn this one follows; 0 = the beginning' }),
    superseded: Type.Boolean({ description: 'Whether another version has replaced it' }),
    kind: Word<TurnKind>({ chat: true, response: true, items: true }),
    model: Nullable(Type.String()),
    metadata: StoredMetadata,
    attempt: Type.Integer({ description: '1, and one more each time the request was made again' }),
    created_at: Type.Integer({ description: 'Unix seconds' }),
    status: Word<TurnStatus>({ in_progress: true, completed: true, incomplete: true, failed: true }),
    error: NullableWord<TurnErrorCode>({
      client_disconnect: true,
      upstream_error: true,
      upstream_truncated: true,
      upstream_timeout: true,
      answer_too_large: true,
      server_shutdown: true,
      server_lost: true
    }),
    finish_reason: Nullable(Type.String()),
    completion_id: Nullable(Type.String({ description: "The upstream's id of the answer" })),
    user_text: Nullable(Type.String()),
    assistant_text: Nullable(Type.String()),
    detail: Nullable(
      Type.Object({}, { additionalProperties: true, description: 'What the texts alone cannot say' })
    )
  },
  { title: 'Turn', description: 'A question and its answer.' }
)

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

/** OpenAI's list envelope; where the item has a title, the list is `<title>List`. */
export const ListView = <T extends TSchema>(item: T & { title?: string }) =>
  Type.Object(
    {
      object: Type.Literal('list'),
      data: Type.Array(item as T),
      first_id: Nullable(Type.String()),
      last_id: Nullable(Type.String()),
      has_more: Type.Boolean()
    },
    { ...(item.title !== undefined && { title: `${item.title}List` }), description: 'A page of a list.' }
  )

/** The answer to a deletion. */
export const DeletedView = <T extends string>(object: T, title: string) =>
  Type.Object(
    { id: Type.String(), object: Type.Literal(object), deleted: Type.Literal(true) },
    { title, description: 'It is deleted.' }
  )

/**
 * For answers whose fields are another's: the schema says what is in them, and every field goes out as it is. All
 * other answers have the fields of their schema and no others.
 */
export const verbatim = () => (data: unknown) => JSON.stringify(data)

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

/** The answer of a call that is the upstream's alone. */
export const UpstreamView = Type.Object(
  {},
  {
    title: 'UpstreamAnswer',
    description: "The upstream's answer, as it came; nothing is recorded.",
    additionalProperties: true
  }
)

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
