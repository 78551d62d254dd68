import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('conversations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('session_id', 'text', (c) => c.notNull())
    .addColumn('title', 'text')
    .addColumn('model', 'text')
    .addColumn('metadata', 'text', (c) => c.notNull()) // JSON
    .addColumn('pinned', 'integer', (c) => c.notNull()) // 0 or 1
    .addColumn('last_seq', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull()) // Unix ms
    .addColumn('active_at', 'bigint', (c) => c.notNull()) // Unix ms
    .execute()
  await db.schema
    .createIndex('conversations_session')
    .on('conversations')
    .columns(['session_id', 'id'])
    .unique()
    .execute()

  await db.schema
    .createTable('turns')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('conversation_id', 'text', (c) =>
      c.notNull().references('conversations.id').onDelete('cascade')
    )
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('parent_seq', 'integer', (c) => c.notNull()) // 0: the beginning
    .addColumn('superseded', 'integer', (c) => c.notNull()) // 0 or 1
    .addColumn('user_text', 'text')
    .addColumn('assistant_text', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('finish_reason', 'text')
    .addColumn('error', 'text')
    .addColumn('completion_id', 'text')
    .addColumn('detail', 'text') // JSON
    .addColumn('owner', 'text') // the process that runs the turn; null once it has ended
    .addColumn('created_at', 'bigint', (c) => c.notNull()) // Unix ms
    .addPrimaryKeyConstraint('turns_pk', ['conversation_id', 'seq'])
    .execute()
  await db.schema
    .createIndex('turns_completion')
    .on('turns')
    .column('completion_id')
    .where(sql.ref('completion_id'), 'is not', null)
    .execute()
  await db.schema
    .createIndex('turns_running')
    .on('turns')
    .column('owner')
    .where(sql.ref('owner'), 'is not', null)
    .execute()

  await db.schema
    .createTable('owners')
    .addColumn('owner', 'text', (c) => c.primaryKey())
    .addColumn('beat', 'bigint', (c) => c.notNull())
    .execute()
}
