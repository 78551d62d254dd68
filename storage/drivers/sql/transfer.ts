import { sql } from 'kysely'
import type { Conversation, Turn } from '../../contract.ts'
import { StoreError } from '../../store-error.ts'
import { intern } from '../media.ts'
import { lockConversation } from './conversations.ts'
import type { SqlDialect } from './dialect.ts'
import { keepMedia, sweepMedia } from './media.ts'
import { indexTitle, indexTurn } from './search.ts'
import { type Db, fromConversation, fromTurn, toConversation } from './tables.ts'

/** The parts of the contract that move data between stores. */
export async function exportConversations(
  db: Db,
  after: string | null,
  limit: number
): Promise<Conversation[]> {
  let query = db.selectFrom('conversations').selectAll()
  if (after !== null) query = query.where('id', '>', after)
  const rows = await query.orderBy('id').limit(limit).execute()
  return rows.map(toConversation)
}

export async function importConversation(
  db: Db,
  dialect: SqlDialect,
  conversation: Conversation
): Promise<void> {
  const { id, ...rest } = fromConversation(conversation)
  // A key of the session before might be one of this session too.
  const external_key = sql<string | null>`
    case when conversations.session_id = ${rest.session_id} then conversations.external_key end`
  await db
    .insertInto('conversations')
    .values({ id, ...rest })
    .onConflict((c) => c.column('id').doUpdateSet({ ...rest, external_key }))
    .execute()
  await indexTitle(db, dialect, id, rest.title)
  await db
    .updateTable('turns')
    .set({ session_id: rest.session_id, idempotency_key: null })
    .where('conversation_id', '=', id)
    .where('session_id', '!=', rest.session_id)
    .execute()
}

export async function importTurns(db: Db, dialect: SqlDialect, turns: Turn[]): Promise<void> {
  const [first] = turns
  if (!first) return
  const { conversationId } = first
  await lockConversation(db, conversationId)
  const conversation = await db
    .selectFrom('conversations')
    .select('session_id')
    .where('id', '=', conversationId)
    .executeTakeFirst()
  if (!conversation) throw new StoreError('STORE_CORRUPT', 'turns without their conversation')
  for (const turn of turns) {
    const { json: detail, media } = intern(turn.detail)
    await keepMedia(db, conversationId, media)
    const row = fromTurn(turn, conversation.session_id, detail)
    const { conversation_id, seq, ...rest } = row
    await db
      .insertInto('turns')
      .values(row)
      .onConflict((c) => c.columns(['conversation_id', 'seq']).doUpdateSet(rest))
      .execute()
    await indexTurn(db, dialect, row)
  }
  await sweepMedia(db, dialect, conversationId)
}
