import type { AddedTurn, Turn, TurnContent, TurnKey } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { addedTurn } from '../added-turn.ts'
import { assertSeq } from '../highest-seq.ts'
import { intern } from '../media.ts'
import { lockConversation } from './conversations.ts'
import type { SqlDialect } from './dialect.ts'
import { keepMedia, readTurns, sweepMedia } from './media.ts'
import { INDEXED_COLUMNS, indexTurn, unindex } from './search.ts'
import { type Db, fromTurn, TURN_COLUMNS, toTurn } from './tables.ts'

export async function addTurns(
  db: Db,
  dialect: SqlDialect,
  sessionId: string,
  conversationId: string,
  turns: AddedTurn[],
  maxSeq: number | null
): Promise<Turn[] | null> {
  const activeAt = turns.at(-1)?.createdAt
  const row = await db
    .updateTable('conversations')
    .set((eb) => ({
      last_seq: eb('last_seq', '+', turns.length),
      ...(activeAt !== undefined && { active_at: activeAt })
    }))
    .where('id', '=', conversationId)
    .where('session_id', '=', sessionId)
    .returning('last_seq')
    .executeTakeFirst()
  if (!row) return null
  if (turns.length > 0) assertSeq(row.last_seq, maxSeq)
  return await insertAdded(db, dialect, sessionId, conversationId, turns, row.last_seq - turns.length)
}

/** Inserts turns behind `lastSeq`, in a conversation that is locked and counts them already. */
export async function insertAdded(
  db: Db,
  dialect: SqlDialect,
  sessionId: string,
  conversationId: string,
  turns: AddedTurn[],
  lastSeq: number
): Promise<Turn[]> {
  const added: Turn[] = []
  for (const [index, given] of turns.entries()) {
    const seq = lastSeq + index + 1
    added.push(await insertEnded(db, dialect, sessionId, addedTurn(given, { conversationId, seq })))
  }
  return added
}

/** Inserts an ended turn and resolves to it as it is kept. */
async function insertEnded(db: Db, dialect: SqlDialect, sessionId: string, turn: Turn): Promise<Turn> {
  const { json: detail, media } = intern(turn.detail)
  await keepMedia(db, turn.conversationId, media)
  const row = fromTurn(turn, sessionId, detail)
  await db.insertInto('turns').values(row).execute()
  await indexTurn(db, dialect, row)
  return toTurn(row, media)
}

export async function changeTurn(
  db: Db,
  dialect: SqlDialect,
  sessionId: string,
  key: Pick<TurnKey, 'id' | 'conversationId' | 'seq'>,
  change: (turn: Turn) => TurnContent | null
): Promise<boolean> {
  const { conversationId, seq } = key
  if (!(await lockConversation(db, conversationId, sessionId))) return false
  for (;;) {
    const [turn] = await readTurns(db, () =>
      db
        .selectFrom('turns')
        .select(TURN_COLUMNS)
        .where('conversation_id', '=', conversationId)
        .where('seq', '=', seq)
        .where('id', '=', key.id)
        .execute()
    )
    if (!turn) return false
    if (turn.status === 'in_progress') throw new StoreError('CONVERSATION_BUSY', `turn ${seq} is running`)
    const content = change(turn)
    const done = content ? await replaceContent(db, dialect, turn, content) : await deleteTurn(db, turn)
    if (!done) continue
    await sweepMedia(db, dialect, conversationId)
    return true
  }
}

/** False when the turn was ended anew since it was read: one that recovery took for lost. */
async function replaceContent(
  db: Db,
  dialect: SqlDialect,
  turn: Turn,
  content: TurnContent
): Promise<boolean> {
  const { json: detail, media } = intern(content.detail)
  await keepMedia(db, turn.conversationId, media)
  const row = await db
    .updateTable('turns')
    .set({
      kind: content.kind,
      metadata: JSON.stringify(content.metadata),
      user_text: storableText(content.userText),
      assistant_text: storableText(content.assistantText),
      detail,
      asked_mark: null,
      tip_mark: null,
      answer_mark: null
    })
    .where('conversation_id', '=', turn.conversationId)
    .where('seq', '=', turn.seq)
    .where('status', '=', turn.status)
    .where('error', turn.error === null ? 'is' : '=', turn.error)
    .returning(INDEXED_COLUMNS)
    .executeTakeFirst()
  if (row) await indexTurn(db, dialect, row)
  return row !== undefined
}

async function deleteTurn(db: Db, turn: Turn): Promise<true> {
  await db
    .deleteFrom('turns')
    .where('conversation_id', '=', turn.conversationId)
    .where('seq', '=', turn.seq)
    .execute()
  await unindex(db, turn.conversationId, [turn.seq])
  return true
}
