import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('api_keys')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text')
    .addColumn('hash', 'text', (c) => c.notNull()) // SHA-256 of the secret, hexadecimal
    .addColumn('created_at', 'bigint', (c) => c.notNull()) // Unix ms
    .execute()
  // Finds those that retention deletes, oldest first, and grows with each of them alone: pinned ones are never looked for.
  await sql`create index conversations_idle on conversations (active_at, id) where pinned = 0`.execute(db)
}
