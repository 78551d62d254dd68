import type { Kysely, Selectable } from 'kysely'
import type { Conversation, JsonObject, Turn, TurnErrorCode, TurnStatus } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'

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
  }
  turns: {
    id: string
    conversation_id: string
    seq: number
    parent_seq: number
    superseded: number
    user_text: string | null
    assistant_text: string | null
    status: TurnStatus
    finish_reason: string | null
    error: TurnErrorCode | null
    completion_id: string | null
    detail: string | null
    owner: string | null
    created_at: number
  }
  owners: { owner: string; beat: number }
}

export type Db = Kysely<Tables>

export function toConversation(row: Selectable<Tables['conversations']>): Conversation {
  return {
    id: row.id,
    sessionId: row.session_id,
    title: row.title,
    model: row.model,
    metadata: parse(row.metadata, row.id) as Record<string, string>,
    pinned: row.pinned === 1,
    lastSeq: row.last_seq,
    createdAt: row.created_at,
    activeAt: row.active_at
  }
}

export function toTurn(row: Omit<Selectable<Tables['turns']>, 'owner'>): Turn {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    seq: row.seq,
    parentSeq: row.parent_seq,
    superseded: row.superseded === 1,
    userText: row.user_text,
    assistantText: row.assistant_text,
    status: row.status,
    finishReason: row.finish_reason,
    error: row.error,
    completionId: row.completion_id,
    detail: row.detail === null ? null : (parse(row.detail, row.id) as JsonObject),
    createdAt: row.created_at
  }
}

export function fromConversation(conversation: Conversation): Tables['conversations'] {
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

export function fromTurn(turn: Turn): Tables['turns'] {
  return {
    id: turn.id,
    conversation_id: turn.conversationId,
    seq: turn.seq,
    parent_seq: turn.parentSeq,
    superseded: turn.superseded ? 1 : 0,
    user_text: storableText(turn.userText),
    assistant_text: storableText(turn.assistantText),
    status: turn.status,
    finish_reason: storableText(turn.finishReason),
    error: turn.error,
    completion_id: storableText(turn.completionId),
    detail: toJson(turn.detail),
    owner: null,
    created_at: turn.createdAt
  }
}

export function toJson(detail: JsonObject | null): string | null {
  return detail === null ? null : JSON.stringify(detail)
}

function parse(json: string, id: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `the JSON of ${id} cannot be read`, cause)
  }
}
