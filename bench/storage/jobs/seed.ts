import Database from 'better-sqlite3'
import pg from 'pg'
import { openStore } from '../../../storage/open-store.ts'
import type { Job } from '../job.ts'
import { conversationsSql, longConversation, type Seed, turnsSql, wordsSql } from '../seed-rows.ts'

/** Fills the migrated schema by statements that run in the database, far faster than through the service. */
export const run: Job = async ({ url, conversations = 1_000, turns = 1_000 }) => {
  const startedAt = performance.now()
  const store = await openStore(url, { report() {} })
  await store.initialize()
  await store.close()
  const seed = { conversations, turns }
  if (url.startsWith('sqlite:')) seedSqlite(url.slice('sqlite:'.length), seed)
  else await seedPostgres(url, seed)
  return { seconds: (performance.now() - startedAt) / 1_000 }
}

function seedSqlite(file: string, seed: Seed): void {
  const dialect = {
    numbers: (count: number) =>
      `(with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count}) select i from n)`,
    hex: (expression: string) => `printf('%032x', ${expression})`
  }
  const { hex, numbers } = dialect
  const db = new Database(file)
  db.pragma('synchronous = OFF')
  db.pragma('foreign_keys = OFF')
  db.pragma('cache_size = -262144')
  db.exec('begin')
  db.exec(conversationsSql(seed, dialect))
  for (const statement of turnsSql(seed, dialect)) db.exec(statement)
  // Entry i has the title of conversation i, and the entry after them all its turn.
  db.exec(`insert into search_entries (id, conversation_id, seq)
    select i, 'conv_' || ${hex('i')}, 0 from ${numbers(seed.conversations)} union all
    select ${seed.conversations} + i, 'conv_' || ${hex('i')}, 1 from ${numbers(seed.conversations)} union all
    select ${2 * seed.conversations} + i, '${longConversation(seed)}', i from ${numbers(seed.turns)}`)
  db.exec(`insert into search_words (rowid, words)
    select i, 'topic ' || i from ${numbers(seed.conversations)}`)
  db.exec(`insert into search_words (rowid, words)
    select ${seed.conversations} + i, i || ' ' || ${wordsSql(seed)} from ${numbers(seed.conversations)}`)
  db.exec(`insert into search_words (rowid, words)
    select ${2 * seed.conversations} + i, i || ' question what does a token cost' from ${numbers(seed.turns)}`)
  db.exec('commit')
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}

async function seedPostgres(url: string, seed: Seed): Promise<void> {
  const dialect = {
    numbers: (count: number) => `generate_series(1, ${count}) as n(i)`,
    hex: (expression: string) => `lpad(to_hex(${expression}), 32, '0')`
  }
  const { hex, numbers } = dialect
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query("set synchronous_commit = off; set maintenance_work_mem = '512MB'")
  await client.query(conversationsSql(seed, dialect))
  for (const statement of turnsSql(seed, dialect)) await client.query(statement)
  // The index is made anew after the rows, which takes a fraction of the time.
  const { rows } = await client.query(
    "select indexdef from pg_indexes where indexname = 'search_entries_words'"
  )
  await client.query('drop index search_entries_words')
  const words = (text: string) => `array_to_tsvector(string_to_array(${text}, ' '))`
  await client.query(`insert into search_entries (conversation_id, seq, words)
    select 'conv_' || ${hex('i')}, 0, ${words("'topic ' || i")} from ${numbers(seed.conversations)} union all
    select 'conv_' || ${hex('i')}, 1, ${words(`i || ' ' || ${wordsSql(seed)}`)}
      from ${numbers(seed.conversations)} union all
    select '${longConversation(seed)}', i, ${words("i || ' question what does a token cost'")}
      from ${numbers(seed.turns)}`)
  await client.query(rows[0].indexdef)
  await client.query('vacuum analyze')
  await client.end()
}
