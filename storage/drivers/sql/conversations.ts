import type { Conversation, ConversationChanges, NewConversation } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import type { SqlDialect } from './dialect.ts'
import { prepared } from './prepared.ts'
import { indexTitle } from './search.ts'
import {
  CONVERSATION_COLUMNS,
  type ConversationRow,
  type Db,
  fromConversation,
  toConversation
} from './tables.ts'

const insert = prepared<ConversationRow>(CONVERSATION_COLUMNS)((db, row) =>
  db.insertInto('conversations').values(row).compile()
)

export async function insertConversation(
  db: Db,
  dialect: SqlDialect,
  given: NewConversation & Partial<Pick<Conversation, 'lastSeq' | 'activeAt'>>
): Promise<Conversation> {
  const conversation = { pinned: false, lastSeq: 0, activeAt: given.createdAt, ...given }
  const row = fromConversation(conversation)
  await insert(db, dialect, row)
  if (row.title !== null) await indexTitle(db, dialect, row.id, row.title)
  return toConversation(row)
}

/** The same under the name that somebody else has for it; null where one of the session's has that name already. */
export async function insertExternal(
  db: Db,
  dialect: SqlDialect,
  given: NewConversation & Pick<Conversation, 'lastSeq'>,
  externalKey: string
): Promise<Conversation | null> {
  const row = fromConversation({ pinned: false, activeAt: given.createdAt, ...given })
  const made = await db
    .insertInto('conversations')
    .values({ ...row, external_key: externalKey })
    .onConflict((c) => c.doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!made) return null
  if (row.title !== null) await indexTitle(db, dialect, row.id, row.title)
  return toConversation(row)
}

/**
 * Makes the transaction the only one that changes this conversation until it ends. False when there is none, or none
 * of that session.
 */
export async function lockConversation(db: Db, id: string, sessionId?: string): Promise<boolean> {
  let query = db
    .updateTable('conversations')
    .set((eb) => ({ last_seq: eb.ref('last_seq') }))
    .where('id', '=', id)
  if (sessionId !== undefined) query = query.where('session_id', '=', sessionId)
  return (await query.executeTakeFirst()).numUpdatedRows > 0n
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

export async function updateConversation(
  db: Db,
  dialect: SqlDialect,
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
  if (!row) return null
  if (values.title !== undefined) await indexTitle(db, dialect, id, values.title)
  return toConversation(row)
}

export async function deleteConversation(db: Db, sessionId: string, id: string): Promise<boolean> {
  const result = await db
    .deleteFrom('conversations')
    .where('id', '=', id)
    .where('session_id', '=', sessionId)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}
