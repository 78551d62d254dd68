import type { TurnEnding, TurnKey } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { intern } from '../media.ts'
import { replacementBy } from '../turn-path.ts'
import { lockConversation } from './conversations.ts'
import type { SqlDialect } from './dialect.ts'
import { keepMedia } from './media.ts'
import { prepared } from './prepared.ts'
import { INDEXED_COLUMNS, indexTurn, unindex } from './search.ts'
import type { Db, Tables } from './tables.ts'

/** How many turns are named in one statement. */
const PORTION = 500

const ENDED_COLUMNS = [
  'id',
  'conversation_id',
  'seq',
  'attempt',
  'status',
  'error',
  'finish_reason',
  'completion_id',
  'assistant_text',
  'detail',
  'model',
  'tip_mark',
  'answer_mark'
] as const

const endRunning = prepared<Pick<Tables['turns'], (typeof ENDED_COLUMNS)[number]>>(ENDED_COLUMNS)(
  (db, { id, conversation_id, seq, attempt, model, ...ended }, dialect) =>
    db
      .updateTable('turns')
      .set((eb) => ({ ...ended, owner: null, model: eb.fn.coalesce(eb.val(model), 'model') }))
      .where('conversation_id', '=', dialect.held(conversation_id))
      .where('seq', '=', seq)
      .where('id', '=', id)
      .where('attempt', '=', attempt)
      // Whose items were deleted since stays as it is.
      .where('kind', '!=', 'items')
      // A process that was slow, not dead, may still end a turn that recovery took for lost.
      .where((eb) => eb.or([eb('status', '=', 'in_progress'), eb('error', '=', 'server_lost')]))
      .returning(INDEXED_COLUMNS)
      .compile()
)

export async function finishTurn(
  db: Db,
  dialect: SqlDialect,
  turn: TurnKey,
  ending: TurnEnding
): Promise<boolean> {
  const replaces = ending.status === 'completed' && turn.parentSeq < turn.seq - 1
  const { json: detail, media } = intern(ending.detail)
  if ((replaces || media.size > 0) && !(await lockConversation(db, turn.conversationId))) return false
  const [row] = await endRunning(db, dialect, {
    id: turn.id,
    conversation_id: turn.conversationId,
    seq: turn.seq,
    attempt: turn.attempt,
    status: ending.status,
    error: ending.error,
    finish_reason: storableText(ending.finishReason),
    completion_id: storableText(ending.completionId),
    assistant_text: storableText(ending.assistantText),
    detail,
    model: storableText(ending.model),
    tip_mark: ending.tipMark ?? null,
    answer_mark: ending.answerMark ?? null
  })
  if (!row) return false
  await keepMedia(db, turn.conversationId, media)
  if (row.superseded === 1) return true
  await indexTurn(db, dialect, row)
  if (replaces) await replace(db, dialect, turn)
  return true
}

/** Makes the way to `turn` the conversation's path. */
async function replace(db: Db, dialect: SqlDialect, turn: TurnKey): Promise<void> {
  const older = await db
    .selectFrom('turns')
    .select(['seq', 'parent_seq', 'superseded', 'status'])
    .where('conversation_id', '=', turn.conversationId)
    .where('seq', '<', turn.seq)
    .execute()
  const { hidden, shown } = replacementBy(
    turn.parentSeq,
    older.map((row) => ({
      seq: row.seq,
      parentSeq: row.parent_seq,
      superseded: row.superseded === 1,
      completed: row.status === 'completed'
    }))
  )
  for (const seqs of portions(hidden)) {
    await mark(db, turn.conversationId, seqs, 1)
    await unindex(db, turn.conversationId, seqs)
  }
  for (const seqs of portions(shown)) {
    for (const row of await mark(db, turn.conversationId, seqs, 0)) await indexTurn(db, dialect, row)
  }
}

async function mark(db: Db, conversationId: string, seqs: number[], superseded: 0 | 1) {
  return await db
    .updateTable('turns')
    .set({ superseded })
    .where('conversation_id', '=', conversationId)
    .where('seq', 'in', seqs)
    .returning(INDEXED_COLUMNS)
    .execute()
}

function portions(seqs: number[]): number[][] {
  const count = Math.ceil(seqs.length / PORTION)
  return Array.from({ length: count }, (_, index) => seqs.slice(index * PORTION, (index + 1) * PORTION))
}
