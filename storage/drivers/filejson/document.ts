import { type Static, type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type {
  Conversation,
  Json,
  JsonObject,
  Turn,
  TurnErrorCode,
  TurnKind,
  TurnStatus
} from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { inflate, type Media } from '../media.ts'

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Instant = Type.Integer({ description: 'Unix ms' })

const TurnDocument = Type.Object({
  seq: Type.Integer({ minimum: 1 }),
  id: Type.String(),
  parent_seq: Type.Integer({ minimum: 0 }),
  kind: Type.Optional(Type.String()),
  superseded: Type.Boolean(),
  model: Type.Optional(Nullable(Type.String())),
  metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
  status: Type.String(),
  error: Nullable(Type.String()),
  finish_reason: Nullable(Type.String()),
  completion_id: Nullable(Type.String()),
  created_at: Instant,
  owner: Type.Optional(Type.String({ description: 'The process that runs the turn' })),
  attempt: Type.Optional(Type.Integer({ minimum: 1 })),
  request_hash: Type.Optional(Type.String()),
  idempotency_key: Type.Optional(Type.String()),
  asked_mark: Type.Optional(Type.String()),
  tip_mark: Type.Optional(Type.String()),
  answer_mark: Type.Optional(Type.String()),
  user_text: Nullable(Type.String()),
  assistant_text: Nullable(Type.String()),
  detail: Type.Unsafe<JsonObject | null>(Nullable(Type.Object({})))
})

/** What a conversation's file holds. Its id is the file's name. */
const ConversationDocument = Type.Object({
  session_id: Type.String(),
  title: Nullable(Type.String()),
  model: Nullable(Type.String()),
  metadata: Type.Record(Type.String(), Type.String()),
  pinned: Type.Boolean(),
  last_seq: Type.Integer({ minimum: 0 }),
  created_at: Instant,
  active_at: Instant,
  external_key: Type.Optional(Type.String({ description: 'Of the name that somebody else has for it' })),
  turns: Type.Array(TurnDocument),
  media: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'By hash' }))
})

/** Never changed in place: its text, among others, is remembered. */
export type TurnDocument = Readonly<Static<typeof TurnDocument>>
export type ConversationDocument = Static<typeof ConversationDocument>
/** What is said of the conversation itself. */
export type Summary = Omit<ConversationDocument, 'turns' | 'media'>

const validator = Compile(ConversationDocument)

/** What a file holds that is no document. The message never quotes it: it goes to the log. */
export class UnreadableError extends Error {}

/** The document that `bytes` spell. Throws `UnreadableError` when they spell none. */
export function parseDocument(bytes: Buffer): ConversationDocument {
  const value = parseFile(bytes)
  if (validator.Check(value)) return value
  const [first] = validator.Errors(value)
  // Past these, the path has a client's own words in it.
  const place = first?.instancePath.replace(/\/(metadata|detail|media)\/.*/s, '/$1')
  throw new UnreadableError(`${place || 'the file'} ${first?.message}`)
}

/** The JSON value in a file, with or without a byte order mark. Throws `UnreadableError`. */
export function parseFile(bytes: Buffer): Json {
  try {
    // What is not UTF-8 must not be read as U+FFFD: the next write would make that the truth.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new UnreadableError(bytes.length === 0 ? 'it is empty' : 'it is not JSON in UTF-8')
  }
}

export function toConversation(id: string, document: Summary): Conversation {
  return {
    id,
    sessionId: document.session_id,
    title: document.title,
    model: document.model,
    metadata: { ...document.metadata }, // what is handed out must not be what is remembered
    pinned: document.pinned,
    lastSeq: document.last_seq,
    createdAt: document.created_at,
    activeAt: document.active_at
  }
}

export function toTurn(conversationId: string, turn: TurnDocument, media: Media): Turn {
  return {
    id: turn.id,
    conversationId,
    seq: turn.seq,
    parentSeq: turn.parent_seq,
    attempt: turn.attempt ?? 1,
    kind: (turn.kind ?? 'chat') as TurnKind,
    superseded: turn.superseded,
    model: turn.model ?? null,
    metadata: { ...turn.metadata },
    userText: turn.user_text,
    assistantText: turn.assistant_text,
    status: turn.status as TurnStatus,
    finishReason: turn.finish_reason,
    error: turn.error as TurnErrorCode | null,
    completionId: turn.completion_id,
    detail: toDetail(turn, media),
    createdAt: turn.created_at
  }
}

function toDetail({ id, detail }: TurnDocument, media: Media): JsonObject | null {
  try {
    return detail === null ? null : inflate(JSON.stringify(detail), media)
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `media of ${id} is missing`, cause)
  }
}

/** The document of a turn that does not run, with `detail` for its own. */
export function fromTurn(turn: Turn, detail: JsonObject | null): TurnDocument {
  return {
    seq: turn.seq,
    id: turn.id,
    parent_seq: turn.parentSeq,
    kind: turn.kind,
    superseded: turn.superseded,
    model: storableText(turn.model),
    metadata: { ...turn.metadata },
    status: turn.status,
    error: turn.error,
    finish_reason: storableText(turn.finishReason),
    completion_id: storableText(turn.completionId),
    created_at: turn.createdAt,
    attempt: turn.attempt,
    user_text: storableText(turn.userText),
    assistant_text: storableText(turn.assistantText),
    detail
  }
}

export function fromConversation(conversation: Conversation): Summary {
  return {
    session_id: conversation.sessionId,
    title: storableText(conversation.title),
    model: storableText(conversation.model),
    metadata: { ...conversation.metadata },
    pinned: conversation.pinned,
    last_seq: conversation.lastSeq,
    created_at: conversation.createdAt,
    active_at: conversation.activeAt
  }
}
