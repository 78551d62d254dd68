import { type Static, type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Conversation, Json, JsonObject, Turn, TurnErrorCode, TurnStatus } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Instant = Type.Integer({ description: 'Unix ms' })

const TurnDocument = Type.Object({
  seq: Type.Integer({ minimum: 1 }),
  id: Type.String(),
  parent_seq: Type.Integer({ minimum: 0 }),
  superseded: Type.Boolean(),
  status: Type.String(),
  error: Nullable(Type.String()),
  finish_reason: Nullable(Type.String()),
  completion_id: Nullable(Type.String()),
  created_at: Instant,
  owner: Type.Optional(Type.String({ description: 'The process that runs the turn' })),
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
  turns: Type.Array(TurnDocument)
})

export type TurnDocument = Static<typeof TurnDocument>
export type ConversationDocument = Static<typeof ConversationDocument>

const validator = Compile(ConversationDocument)

/** What a file holds that is no document. The message never quotes it: it goes to the log. */
export class UnreadableError extends Error {}

/** The document that `bytes` spell. Throws `UnreadableError` when they spell none. */
export function parseDocument(bytes: Buffer): ConversationDocument {
  const value = parseFile(bytes)
  if (validator.Check(value)) return value
  const [first] = validator.Errors(value)
  throw new UnreadableError(`${first?.instancePath || 'the file'} ${first?.message}`)
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

export function formatDocument(document: ConversationDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

export function toConversation(id: string, document: Omit<ConversationDocument, 'turns'>): Conversation {
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

export function toTurn(conversationId: string, turn: TurnDocument): Turn {
  return {
    id: turn.id,
    conversationId,
    seq: turn.seq,
    parentSeq: turn.parent_seq,
    superseded: turn.superseded,
    userText: turn.user_text,
    assistantText: turn.assistant_text,
    status: turn.status as TurnStatus,
    finishReason: turn.finish_reason,
    error: turn.error as TurnErrorCode | null,
    completionId: turn.completion_id,
    detail: structuredClone(turn.detail),
    createdAt: turn.created_at
  }
}

export function fromTurn(turn: Turn): TurnDocument {
  return {
    seq: turn.seq,
    id: turn.id,
    parent_seq: turn.parentSeq,
    superseded: turn.superseded,
    status: turn.status,
    error: turn.error,
    finish_reason: storableText(turn.finishReason),
    completion_id: storableText(turn.completionId),
    created_at: turn.createdAt,
    user_text: storableText(turn.userText),
    assistant_text: storableText(turn.assistantText),
    detail: structuredClone(turn.detail)
  }
}

export function fromConversation(conversation: Conversation): Omit<ConversationDocument, 'turns'> {
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
