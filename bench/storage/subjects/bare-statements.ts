import { newId } from '../../../storage/ids.ts'
import { ANSWER, QUESTION } from './subject.ts'

// The two statements of a turn at the least: into the service's own table, with its indexes, and nothing beside it.
const COLUMNS = [
  'id',
  'conversation_id',
  'seq',
  'parent_seq',
  'superseded',
  'user_text',
  'status',
  'owner',
  'created_at',
  'session_id',
  'model',
  'request_hash'
]
export const HASH = 'a'.repeat(64)

/** `mark` writes the nth parameter as the database wants it. */
export const insertTurn = (mark: (n: number) => string): string =>
  `insert into turns (${COLUMNS.join(', ')}) values (${COLUMNS.map((_, at) => mark(at + 1)).join(', ')})`

export const updateTurn = (mark: (n: number) => string): string =>
  `update turns set status = ${mark(1)}, assistant_text = ${mark(2)}, finish_reason = ${mark(3)},
    completion_id = ${mark(4)}, detail = ${mark(5)}, owner = null
    where conversation_id = ${mark(6)} and seq = ${mark(7)} and status = 'in_progress'`

export const insertConversation = (mark: (n: number) => string): string =>
  `insert into conversations (id, session_id, metadata, pinned, last_seq, created_at, active_at)
    values (${[1, 2, 3, 4, 5, 6, 7].map(mark).join(', ')})`

export const conversationValues = (id: string): unknown[] => [id, 'local', '{}', 0, 0, Date.now(), Date.now()]

export function turnValues(conversationId: string, seq: number): unknown[] {
  const own = [newId('turn'), conversationId, seq, seq - 1, 0, QUESTION, 'in_progress', 'bench', Date.now()]
  return [...own, 'local', 'gpt-4o-mini', HASH]
}

const DETAIL = '{"usage":{"prompt_tokens":64,"completion_tokens":200,"total_tokens":264}}'

export const endingValues = (conversationId: string, seq: number): unknown[] => [
  'completed',
  ANSWER,
  'stop',
  `chatcmpl-${conversationId}${seq}`,
  DETAIL,
  conversationId,
  seq
]
