import type { Kysely, Selectable } from 'kysely'
import type { Conversation, JsonObject, Turn, TurnErrorCode, TurnKind, TurnStatus } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { inflate, type Media, MissingPartError } from '../media.ts'

/** The tables as both databases hold them; see `migrations/`. */
export interface Tables {
  conversations: {
    id: string
    session_id: string
    title: string | null
    model: string | null
    metadata: string
    pinned: number
    last_seq: number
    created_at: number
    active_at: number
    external_key: string | null
  }
  turns: {
    id: string
    session_id: string
    conversation_id: string
    seq: number
    parent_seq: number
    kind: TurnKind
    superseded: number
    model: string | null
    metadata: string
    user_text: string | null
    assistant_text: string | null
    status: TurnStatus
    finish_reason: string | null
    error: TurnErrorCode | null
    completion_id: string | null
    detail: string | null
    owner: string | null
    attempt: number
    request_hash: string | null
    idempotency_key: string | null
    asked_mark: string | null
    tip_mark: string | null
    answer_mark: string | null
    created_at: number
  }
  media: { conversation_id: string; hash: string; data: string }
  /** What differs between the databases is left out. */
  search_entries: { conversation_id: string; seq: number }
  owners: { owner: string; beat: number }
  secrets: { name: string; value: string }
  api_keys: { id: string; session_id: string; name: string | null; hash: string; created_at: number }
}

export type Db = Kysely<Tables>

export const CONVERSATION_COLUMNS = [
  'id',
  'session_id',
  'title',
  'model',
  'metadata',
  'pinned',
  'last_seq',
  'created_at',
  'active_at'
] as const

/** Of a turn, all that is short. */
export const SHORT_COLUMNS = [
  'turns.id',
  'turns.conversation_id',
  'turns.seq',
  'turns.parent_seq',
  'turns.kind',
  'turns.superseded',
  'turns.model',
  'turns.metadata',
  'turns.status',
  'turns.finish_reason',
  'turns.error',
  'turns.completion_id',
  'turns.attempt',
  'turns.created_at'
] as const

export const TURN_COLUMNS = [
  ...SHORT_COLUMNS,
  'turns.user_text',
  'turns.assistant_text',
  'turns.detail'
] as const

/** Of a turn's row, what the contract shows. */
export type TurnRow = Omit<
  Tables['turns'],
  'session_id' | 'owner' | 'request_hash' | 'idempotency_key' | 'asked_mark' | 'tip_mark' | 'answer_mark'
>

/** A conversation's row, as the contract shows it. */
export type ConversationRow = Omit<Tables['conversations'], 'external_key'>

export function toConversation(row: Selectable<ConversationRow>): Conversation {
  return {
    id: row.id,
    sessionId: row.session_id,
    title: row.title,
    model: row.model,
    metadata: toMetadata(row),
    pinned: row.pinned === 1,
    lastSeq: row.last_seq,
    createdAt: row.created_at,
    activeAt: row.active_at
  }
}

export function toTurn(row: TurnRow, media: Media): Turn {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    seq: row.seq,
    parentSeq: row.parent_seq,
    attempt: row.attempt,
    kind: row.kind,
    superseded: row.superseded === 1,
    model: row.model,
    metadata: toMetadata(row),
    userText: row.user_text,
    assistantText: row.assistant_text,
    status: row.status,
    finishReason: row.finish_reason,
    error: row.error,
    completionId: row.completion_id,
    detail: toDetail(row, media),
    createdAt: row.created_at
  }
}

export function fromConversation(conversation: Conversation): ConversationRow {
  return {
    id: conversation.id,
    session_id: conversation.sessionId,
    title: storableText(conversation.title),
    model: storableText(conversation.model),
    metadata: JSON.stringify(conversation.metadata),
    pinned: conversation.pinned ? 1 : 0,
    last_seq: conversation.lastSeq,
    created_at: conversation.createdAt,
    active_at: conversation.activeAt
  }
}

/** The row of a turn that does not run; its detail is `detail`, since media is kept apart. */
export function fromTurn(turn: Turn, sessionId: string, detail: string | null): Tables['turns'] {
  return {
    id: turn.id,
    session_id: sessionId,
    conversation_id: turn.conversationId,
    seq: turn.seq,
    parent_seq: turn.parentSeq,
    kind: turn.kind,
    superseded: turn.superseded ? 1 : 0,
    model: storableText(turn.model),
    metadata: JSON.stringify(turn.metadata),
    user_text: storableText(turn.userText),
    assistant_text: storableText(turn.assistantText),
    status: turn.status,
    finish_reason: storableText(turn.finishReason),
    error: turn.error,
    completion_id: storableText(turn.completionId),
    detail,
    owner: null,
    attempt: turn.attempt,
    request_hash: null,
    idempotency_key: null,
    asked_mark: null,
    tip_mark: null,
    answer_mark: null,
    created_at: turn.createdAt
  }
}

export function toMetadata({ id, metadata }: { id: string; metadata: string }): Record<string, string> {
  try {
    return JSON.parse(metadata)
  } catch (cause) {
    throw unreadable(id, cause)
  }
}

function toDetail({ id, detail }: TurnRow, media: Media): JsonObject | null {
  try {
    return detail === null ? null : inflate(detail, media)
  } catch (cause) {
    if (cause instanceof MissingPartError) throw cause
    throw unreadable(id, cause)
  }
}

function unreadable(id: string, cause: unknown): StoreError {
  return new StoreError('STORE_CORRUPT', `the JSON of ${id} cannot be read`, cause)
}
