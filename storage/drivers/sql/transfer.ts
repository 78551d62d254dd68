import type { Conversation, Turn } from '../../contract.ts'
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

export async function importConversation(db: Db, conversation: Conversation): Promise<void> {
  const { id, ...rest } = fromConversation(conversation)
  await db
    .insertInto('conversations')
    .values({ id, ...rest })
    .onConflict((c) => c.column('id').doUpdateSet(rest))
    .execute()
}

export async function importTurns(db: Db, turns: Turn[]): Promise<void> {
  for (const turn of turns) {
    const { conversation_id, seq, ...rest } = fromTurn(turn)
    await db
      .insertInto('turns')
      .values({ conversation_id, seq, ...rest })
      .onConflict((c) => c.columns(['conversation_id', 'seq']).doUpdateSet(rest))
      .execute()
  }
}
