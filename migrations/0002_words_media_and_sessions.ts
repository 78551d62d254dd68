import { type Kysely, PostgresAdapter, sql } from 'kysely'

interface Rows {
  conversations: { id: string; title: string | null }
  turns: {
    conversation_id: string
    seq: number
    superseded: number
    status: string
    user_text: string | null
    assistant_text: string | null
  }
}

/** How many rows are read at once to be indexed. */
const BATCH = 200
/** The same of turns, whose texts may be long. */
const TURNS_BATCH = 20
/** How much of a text is indexed; more of it need not be read. In characters. */
const MAX_CHARACTERS = 1_048_576

export async function up(db: Kysely<Rows>): Promise<void> {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
  await widenTurns(db, isPostgres)
  await db.schema
    .createTable('media')
    .addColumn('conversation_id', 'text', (c) =>
      c.notNull().references('conversations.id').onDelete('cascade')
    )
    .addColumn('hash', 'text', (c) => c.notNull()) // SHA-256, hexadecimal
    .addColumn('data', 'text', (c) => c.notNull()) // a JSON string
    .addPrimaryKeyConstraint('media_pk', ['conversation_id', 'hash'])
    .execute()
  if (isPostgres) await createPostgresSearch(db)
  else await createSqliteSearch(db)
  await indexConversations(db, isPostgres)
  await indexTurns(db, isPostgres)
}

async function widenTurns(db: Kysely<Rows>, isPostgres: boolean): Promise<void> {
  await db.schema.alterTable('turns').addColumn('session_id', 'text').execute()
  await db.schema
    .alterTable('turns')
    .addColumn('kind', 'text', (c) => c.notNull().defaultTo('chat'))
    .execute()
  await db.schema.alterTable('turns').addColumn('model', 'text').execute()
  await db.schema
    .alterTable('turns')
    .addColumn('metadata', 'text', (c) => c.notNull().defaultTo('{}')) // JSON
    .execute()
  await db.schema
    .alterTable('turns')
    .addColumn('attempt', 'integer', (c) => c.notNull().defaultTo(1))
    .execute()
  await db.schema.alterTable('turns').addColumn('request_hash', 'text').execute()
  await db.schema.alterTable('turns').addColumn('idempotency_key', 'text').execute()

  await sql`update turns set session_id =
    (select conversations.session_id from conversations where conversations.id = turns.conversation_id)`.execute(
    db
  )
  // SQLite could only do this by writing the whole table anew.
  if (isPostgres) await sql`alter table turns alter column session_id set not null`.execute(db)

  await db.schema.dropIndex('turns_completion').execute()
  await sql`create index turns_session on turns (session_id, id)`.execute(db)
  await sql`create index turns_listed on turns (session_id, kind, id)
    where status = 'completed'`.execute(db)
  await sql`create index turns_completion on turns (session_id, completion_id, kind, status, id)
    where completion_id is not null`.execute(db)
  await sql`create unique index turns_idempotency on turns (session_id, idempotency_key)
    where idempotency_key is not null`.execute(db)
  await sql`create index turns_to_retry on turns (session_id, request_hash, id)
    where request_hash is not null and status in ('incomplete', 'failed')`.execute(db)
  await sql`create index turns_running_in on turns (conversation_id) where owner is not null`.execute(db)
}

/** `seq` is that of the turn whose words they are, 0 for the title. */
async function createPostgresSearch(db: Kysely<Rows>): Promise<void> {
  await sql`create table search_entries (
    conversation_id text not null references conversations (id) on delete cascade,
    seq integer not null,
    words tsvector not null,
    primary key (conversation_id, seq)
  )`.execute(db)
  await sql`create index search_entries_words on search_entries using gin (words)`.execute(db)
}

/** The words are in the FTS table alone; an entry that goes, by a cascade too, takes them with it. */
async function createSqliteSearch(db: Kysely<Rows>): Promise<void> {
  await sql`create table search_entries (
    id integer primary key,
    conversation_id text not null references conversations (id) on delete cascade,
    seq integer not null,
    unique (conversation_id, seq)
  )`.execute(db)
  await sql`create virtual table search_words using fts5(
    words, content='', contentless_delete=1, tokenize='ascii', detail=none
  )`.execute(db)
  await sql`create trigger search_entries_deleted after delete on search_entries
    begin delete from search_words where rowid = old.id; end`.execute(db)
}

async function indexConversations(db: Kysely<Rows>, isPostgres: boolean): Promise<void> {
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('conversations')
      .select(['id', 'title'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(BATCH)
      .execute()
    for (const { id, title } of rows) await index(db, isPostgres, id, 0, title ?? '')
    const last = rows.at(-1)
    if (!last) return
    after = last.id
  }
}

async function indexTurns(db: Kysely<Rows>, isPostgres: boolean): Promise<void> {
  for (let after = { conversation_id: '', seq: 0 }; ; ) {
    const rows = await db
      .selectFrom('turns')
      .select([
        'conversation_id',
        'seq',
        'superseded',
        'status',
        sql<string | null>`substr(user_text, 1, ${sql.lit(MAX_CHARACTERS)})`.as('user_text'),
        sql<string | null>`substr(assistant_text, 1, ${sql.lit(MAX_CHARACTERS)})`.as('assistant_text')
      ])
      // SQLite's own shell deletes a conversation and leaves its turns.
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom('conversations')
            .select('id')
            .whereRef('conversations.id', '=', 'turns.conversation_id')
        )
      )
      .where(sql<boolean>`(conversation_id, seq) > (${after.conversation_id}, ${after.seq})`)
      .orderBy('conversation_id')
      .orderBy('seq')
      .limit(TURNS_BATCH)
      .execute()
    for (const row of rows) {
      if (row.superseded === 1 || row.status === 'in_progress') continue
      const text = `${row.user_text ?? ''}\n${row.assistant_text ?? ''}`
      await index(db, isPostgres, row.conversation_id, row.seq, text)
    }
    const last = rows.at(-1)
    if (!last) return
    after = last
  }
}

async function index(
  db: Kysely<Rows>,
  isPostgres: boolean,
  conversationId: string,
  seq: number,
  text: string
): Promise<void> {
  const words = wordsOf(text)
  if (words.length === 0) return
  if (isPostgres) {
    await sql`insert into search_entries (conversation_id, seq, words)
      values (${conversationId}, ${seq}, array_to_tsvector(${words}::text[]))`.execute(db)
    return
  }
  const { rows } = await sql<{ id: number }>`insert into search_entries (conversation_id, seq)
    values (${conversationId}, ${seq}) returning id`.execute(db)
  await sql`insert into search_words (rowid, words) values (${rows[0]?.id}, ${words.join(' ')})`.execute(db)
}

const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
const WORD = new RegExp(
  `[${UNSPACED}]\\p{M}{0,8}|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}\\p{Co}]){1,64}`,
  'gu'
)

/** To sort marks on one letter takes time that grows with the square of their number. */
const MARKS = /([\p{M}\uff9e\uff9f]{32})[\p{M}\uff9e\uff9f]+/gu

/** The words of a text as they were made when this migration was. */
function wordsOf(text: string): string[] {
  const words = new Set<string>()
  let bytes = 0
  const read = text.slice(0, MAX_CHARACTERS).replace(MARKS, '$1')
  const folded = read.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ')
  for (const [word] of folded.normalize('NFKC').matchAll(WORD)) {
    if (words.has(word)) continue
    bytes += Buffer.byteLength(word)
    if (bytes > 524_288) break
    words.add(word)
  }
  return [...words]
}
