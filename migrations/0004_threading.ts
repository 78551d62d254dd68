import { randomBytes } from 'node:crypto'
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const mark of ['asked', 'tip', 'answer']) {
    const column = `${mark}_mark`
    await db.schema.alterTable('turns').addColumn(column, 'text').execute()
    await sql`create index ${sql.ref(`turns_${mark}`)} on turns (session_id, ${sql.ref(column)}, id)
      where ${sql.ref(column)} is not null`.execute(db)
  }
  await db.schema.alterTable('conversations').addColumn('external_key', 'text').execute()
  await sql`create unique index conversations_external on conversations (session_id, external_key)
    where external_key is not null`.execute(db)

  await db.schema
    .createTable('secrets')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute()
  const value = randomBytes(32).toString('base64url')
  await sql`insert into secrets (name, value) values ('threading', ${value})`.execute(db)
}
