import type { NewTurn, Page, Turn, TurnEnding, TurnKey, TurnPage } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { getConversation, insertConversation } from './conversations.ts'
import { type Db, toJson, toTurn } from './tables.ts'

const TURN_COLUMNS = [
  'turns.id',
  'turns.conversation_id',
  'turns.seq',
  'turns.parent_seq',
  'turns.superseded',
  'turns.user_text',
  'turns.assistant_text',
  'turns.status',
  'turns.finish_reason',
  'turns.error',
  'turns.completion_id',
  'turns.detail',
  'turns.created_at'
] as const

export async function beginTurn(db: Db, turn: NewTurn): Promise<{ seq: number; parentSeq: number } | null> {
  const seq = turn.create ? await startConversation(db, turn) : await takeSeq(db, turn)
  if (seq === null) return null
  const parentSeq = turn.parentSeq ?? seq - 1
  if (turn.parentSeq !== null) await assertParent(db, turn.conversationId, parentSeq, seq)
  await db
    .insertInto('turns')
    .values({
      id: turn.id,
      conversation_id: turn.conversationId,
      seq,
      parent_seq: parentSeq,
      superseded: 0,
      user_text: storableText(turn.userText),
      status: 'in_progress',
      detail: toJson(turn.detail),
      owner: turn.owner,
      created_at: turn.createdAt
    })
    .execute()
  return { seq, parentSeq }
}

async function startConversation(db: Db, turn: NewTurn): Promise<number> {
  const conversation = { ...turn, id: turn.conversationId, metadata: {} }
  return (await insertConversation(db, conversation, 1)).last_seq
}

async function takeSeq(db: Db, turn: NewTurn): Promise<number | null> {
  const row = await db
    .updateTable('conversations')
    .set((eb) => ({
      last_seq: eb('last_seq', '+', 1),
      active_at: turn.createdAt,
      title: eb.fn.coalesce('title', eb.val(storableText(turn.title))),
      model: eb.fn.coalesce(eb.val(storableText(turn.model)), 'model')
    }))
    .where('id', '=', turn.conversationId)
    .where('session_id', '=', turn.sessionId)
    .returning('last_seq')
    .executeTakeFirst()
  return row?.last_seq ?? null
}

async function assertParent(db: Db, conversationId: string, parentSeq: number, seq: number): Promise<void> {
  if (parentSeq === 0) return
  const parent = await db
    .selectFrom('turns')
    .select('superseded')
    .where('conversation_id', '=', conversationId)
    .where('seq', '=', parentSeq)
    .executeTakeFirst()
  if (parent?.superseded === 0) return
  const reason = parent ? 'was superseded' : `does not exist, the newest is ${seq - 1}`
  throw new StoreError('PARENT_INVALID', `turn ${parentSeq} ${reason}`)
}

export async function endTurn(db: Db, turn: TurnKey, ending: TurnEnding): Promise<boolean> {
  const result = await db
    .updateTable('turns')
    .set({
      status: ending.status,
      error: ending.error,
      finish_reason: storableText(ending.finishReason),
      completion_id: storableText(ending.completionId),
      assistant_text: storableText(ending.assistantText),
      detail: toJson(ending.detail),
      owner: null
    })
    .where('conversation_id', '=', turn.conversationId)
    .where('seq', '=', turn.seq)
    .where('id', '=', turn.id)
    // A process that was slow, not dead, may still end a turn that recovery took for lost.
    .where((eb) => eb.or([eb('status', '=', 'in_progress'), eb('error', '=', 'server_lost')]))
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Marks the turns between `turn` and the one it follows, unless `turn` has been replaced itself meanwhile. */
export async function supersede(db: Db, turn: TurnKey): Promise<void> {
  const { superseded } = await db
    .selectFrom('turns')
    .select('superseded')
    .where('conversation_id', '=', turn.conversationId)
    .where('seq', '=', turn.seq)
    .executeTakeFirstOrThrow()
  if (superseded === 1) return
  await db
    .updateTable('turns')
    .set({ superseded: 1 })
    .where('conversation_id', '=', turn.conversationId)
    .where('seq', '>', turn.parentSeq)
    .where('seq', '<', turn.seq)
    .execute()
}

export async function listTurns(
  db: Db,
  sessionId: string,
  conversationId: string,
  page: TurnPage
): Promise<Page<Turn> | null> {
  let query = db
    .selectFrom('turns')
    .innerJoin('conversations', 'conversations.id', 'turns.conversation_id')
    .select(TURN_COLUMNS)
    .where('turns.conversation_id', '=', conversationId)
    .where('conversations.session_id', '=', sessionId)
  if (page.afterSeq !== undefined) query = query.where('turns.seq', '>', page.afterSeq)
  if (page.beforeSeq !== undefined) query = query.where('turns.seq', '<', page.beforeSeq)
  if (!page.includeSuperseded) query = query.where('turns.superseded', '=', 0)
  const rows = await query
    .orderBy('turns.seq', page.order)
    .limit(page.limit + 1)
    .execute()
  if (rows.length === 0 && !(await getConversation(db, sessionId, conversationId))) return null
  return { data: rows.slice(0, page.limit).map(toTurn), hasMore: rows.length > page.limit }
}
