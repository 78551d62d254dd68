import type {
  Conversation,
  ConversationChanges,
  ConversationPage,
  NewConversation,
  Page
} from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { type Db, fromConversation, toConversation } from './tables.ts'

export async function insertConversation(db: Db, given: NewConversation, lastSeq: number) {
  const conversation = { ...given, pinned: false, lastSeq, activeAt: given.createdAt }
  return await db
    .insertInto('conversations')
    .values(fromConversation(conversation))
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function getConversation(db: Db, sessionId: string, id: string): Promise<Conversation | null> {
  const row = await db
    .selectFrom('conversations')
    .selectAll()
    .where('id', '=', id)
    .where('session_id', '=', sessionId)
    .executeTakeFirst()
  return row ? toConversation(row) : null
}

export async function listConversations(
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

export async function updateConversation(
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

export async function deleteConversation(db: Db, sessionId: string, id: string): Promise<boolean> {
  const result = await db
    .deleteFrom('conversations')
    .where('id', '=', id)
    .where('session_id', '=', sessionId)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}
