import type { Kysely } from 'kysely'
import type {
  Conversation,
  ConversationChanges,
  ConversationPage,
  JsonObject,
  NewConversation,
  NewTurn,
  OwnerBeat,
  Page,
  Store,
  StoreCounters,
  Turn,
  TurnEnding,
  TurnKey,
  TurnPage
} from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { type Tables, toConversation, toTurn } from './tables.ts'

export type Db = Kysely<Tables>

/** What a database brings to the SQL store: how it reads, writes, migrates and closes. */
export interface SqlEngine {
  counters: StoreCounters
  migrate(): Promise<void>
  /** Runs a query outside any transaction. Rejects with `StoreError` alone. */
  read<T>(query: (db: Db) => Promise<T>): Promise<T>
  /** Runs `work` in a write transaction and resolves once it is durable. Rejects with `StoreError` alone. */
  write<T>(work: (db: Db) => Promise<T>): Promise<T>
  close(): Promise<void>
}

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

/** The store over SQL, the same for every database that Kysely speaks to. */
export function sqlStore(engine: SqlEngine): Store {
  return {
    counters: engine.counters,
    initialize: () => engine.migrate(),
    close: () => engine.close(),
    ping: () =>
      engine.read(async (db) => {
        await db.selectFrom('owners').select('owner').limit(1).execute()
      }),

    createConversation: (conversation) =>
      engine.write(async (db) => toConversation(await insertConversation(db, conversation, 0))),

    getConversation: (sessionId, id) => engine.read((db) => getConversation(db, sessionId, id)),

    listConversations: (sessionId, page) => engine.read((db) => listConversations(db, sessionId, page)),

    updateConversation: (sessionId, id, changes) =>
      engine.write((db) => updateConversation(db, sessionId, id, changes)),

    deleteConversation: (sessionId, id) =>
      engine.write(async (db) => {
        const result = await db
          .deleteFrom('conversations')
          .where('id', '=', id)
          .where('session_id', '=', sessionId)
          .executeTakeFirst()
        return result.numDeletedRows > 0n
      }),

    beginTurn: (turn) => engine.write((db) => beginTurn(db, turn)),
    finishTurn: (turn, ending) => engine.write((db) => finishTurn(db, turn, ending)),
    listTurns: (sessionId, id, page) => engine.read((db) => listTurns(db, sessionId, id, page)),
    beat: (owner) => engine.write((db) => beat(db, owner)),
    recoverTurns: (owner) => engine.write((db) => recoverTurns(db, owner))
  }
}

async function insertConversation(db: Db, conversation: NewConversation, lastSeq: number) {
  return await db
    .insertInto('conversations')
    .values({
      id: conversation.id,
      session_id: conversation.sessionId,
      title: storableText(conversation.title),
      model: storableText(conversation.model),
      metadata: JSON.stringify(conversation.metadata),
      pinned: 0,
      last_seq: lastSeq,
      created_at: conversation.createdAt,
      active_at: conversation.createdAt
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

async function getConversation(db: Db, sessionId: string, id: string): Promise<Conversation | null> {
  const row = await db
    .selectFrom('conversations')
    .selectAll()
    .where('id', '=', id)
    .where('session_id', '=', sessionId)
    .executeTakeFirst()
  return row ? toConversation(row) : null
}

async function listConversations(
  db: Db,
  sessionId: string,
  page: ConversationPage
): Promise<Page<Conversation>> {
  const { after, before, limit, order } = page
  // A page that ends next to `before` is read backwards from it and turned round.
  const direction = before === undefined ? order : order === 'asc' ? 'desc' : 'asc'
  const from = before ?? after
  let query = db.selectFrom('conversations').selectAll().where('session_id', '=', sessionId)
  if (from !== undefined) query = query.where('id', direction === 'asc' ? '>' : '<', from)
  if (page.pinned !== undefined) query = query.where('pinned', '=', page.pinned ? 1 : 0)
  const rows = await query
    .orderBy('id', direction)
    .limit(limit + 1)
    .execute()
  const data = rows.slice(0, limit).map(toConversation)
  return { data: direction === order ? data : data.reverse(), hasMore: rows.length > limit }
}

async function updateConversation(
  db: Db,
  sessionId: string,
  id: string,
  changes: ConversationChanges
): Promise<Conversation | null> {
  const values = {
    ...(changes.title !== undefined && { title: storableText(changes.title) }),
    ...(changes.metadata !== undefined && { metadata: JSON.stringify(changes.metadata) }),
    ...(changes.pinned !== undefined && { pinned: changes.pinned ? 1 : 0 })
  }
  if (Object.keys(values).length === 0) return getConversation(db, sessionId, id)
  const row = await db
    .updateTable('conversations')
    .set(values)
    .where('id', '=', id)
    .where('session_id', '=', sessionId)
    .returningAll()
    .executeTakeFirst()
  return row ? toConversation(row) : null
}

async function beginTurn(db: Db, turn: NewTurn): Promise<{ seq: number; parentSeq: number } | null> {
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

async function finishTurn(db: Db, turn: TurnKey, ending: TurnEnding): Promise<boolean> {
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
  if (result.numUpdatedRows === 0n) return false
  if (ending.status === 'completed' && turn.parentSeq < turn.seq - 1) {
    await db
      .updateTable('turns')
      .set({ superseded: 1 })
      .where('conversation_id', '=', turn.conversationId)
      .where('seq', '>', turn.parentSeq)
      .where('seq', '<', turn.seq)
      .execute()
  }
  return true
}

async function listTurns(
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

async function beat(db: Db, owner: string): Promise<OwnerBeat[]> {
  await db
    .insertInto('owners')
    .values({ owner, beat: 1 })
    .onConflict((c) => c.column('owner').doUpdateSet((eb) => ({ beat: eb('owners.beat', '+', 1) })))
    .execute()
  return await db.selectFrom('owners').selectAll().execute()
}

async function recoverTurns(db: Db, owner: string): Promise<number> {
  const result = await db
    .updateTable('turns')
    .set({ status: 'incomplete', error: 'server_lost', owner: null })
    .where('owner', '=', owner)
    .executeTakeFirst()
  await db.deleteFrom('owners').where('owner', '=', owner).execute()
  return Number(result.numUpdatedRows)
}

function toJson(detail: JsonObject | null): string | null {
  return detail === null ? null : JSON.stringify(detail)
}
