import path from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import pg from 'pg'
import t, { type Test } from 'tap'
import * as first from '../../migrations/0001_turns.ts'
import type { Store } from '../../storage/contract.ts'
import { newId } from '../../storage/ids.ts'
import { tempFolder } from '../helper/app.ts'
import { startDatabase } from '../helper/postgres.ts'
import { openTestStore } from '../helper/transfer.ts'
import { allTurns, begin, exchange, SESSION, seqs } from './contract/rows.ts'

type Db = Kysely<Record<string, Record<string, unknown>>>

/** A new database of each kind: its URL, and a connection that knows nothing of the store. */
const databases: { [name: string]: (t: Test) => Promise<{ url: string; db: Db }> } = {
  async sqlite(t) {
    const file = path.join(tempFolder(t), 'old.db')
    return {
      url: `sqlite:${file}`,
      db: new Kysely({ dialect: new SqliteDialect({ database: new Database(file) }) })
    }
  },
  async postgres() {
    const url = await startDatabase()
    return {
      url,
      db: new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) })
    }
  }
}

const conversation = (id: string, title: string | null, session_id = SESSION) => ({
  ...{ id, session_id, title, model: 'm', metadata: '{"a":"1"}' },
  ...{ pinned: 0, last_seq: 3, created_at: 1, active_at: 2 }
})

const turn = (conversation_id: string, seq: number, changes: Record<string, unknown> = {}) => ({
  ...{ id: newId('turn'), conversation_id, seq, parent_seq: seq - 1, superseded: 0 },
  ...{ user_text: `Frage${seq}`, assistant_text: `antwort${seq} ÜBER`, status: 'completed' },
  ...{
    finish_reason: 'stop',
    error: null,
    completion_id: 'c',
    detail: '{"x":1}',
    owner: null,
    created_at: 1
  },
  ...changes
})

/** Rows as the first schema has them, more than are indexed at once. */
async function fill(db: Db, ids: string[], many: string): Promise<void> {
  const migrations = { '0001_turns': first }
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => migrations }
  }).migrateToLatest()
  if (error) throw error
  const rows = ids.map((id, index) => conversation(id, index === 0 ? 'Der Titel' : null))
  await db
    .insertInto('conversations')
    .values([...rows, { ...conversation(many, null), last_seq: 450 }])
    .execute()
  const [one = '', other = ''] = ids
  const running = { status: 'in_progress', owner: 'gone', assistant_text: null }
  await db
    .insertInto('turns')
    .values([
      turn(one, 1),
      turn(one, 2, { superseded: 1 }),
      turn(one, 3, { ...running, parent_seq: 1 }),
      turn(other, 1, { user_text: null, assistant_text: null, detail: null, completion_id: null })
    ])
    .execute()
  for (const part of [0, 150, 300])
    await db
      .insertInto('turns')
      .values(seqs(150).map((n) => turn(many, part + n, { user_text: `nummer${part + n}` })))
      .execute()
}

for (const [name, create] of Object.entries(databases)) {
  t.test(
    `${name}: a database of the first schema is brought up to date with all that it holds`,
    async (t) => {
      const { url, db } = await create(t)
      const ids = [newId('conv'), newId('conv')]
      const [one = '', other = ''] = ids
      const many = newId('conv')
      await fill(db, ids, many)
      await db.destroy()
      const store = await openTestStore(t, url)

      const turns = await allTurns(store, one)
      const plain = { kind: 'chat', attempt: 1, model: null, metadata: {} }
      t.match(turns, [
        { ...plain, seq: 1, userText: 'Frage1', detail: { x: 1 }, superseded: false },
        { ...plain, seq: 2, superseded: true },
        { ...plain, seq: 3, status: 'in_progress' }
      ])
      t.match(await allTurns(store, other), [{ seq: 1, detail: null }])
      t.equal((await allTurns(store, many)).length, 450)

      const find = async (word: string): Promise<string[]> => {
        const { data } = await store.listConversations(SESSION, { limit: 9, order: 'asc', words: [word] })
        return data.map(({ id }) => id)
      }
      for (const word of ['titel', 'frage1']) t.strictSame(await find(word), [one], word)
      for (const word of ['frage2', 'frage3']) t.strictSame(await find(word), [], word)
      for (const n of [1, 200, 201, 450]) t.strictSame(await find(`nummer${n}`), [many])
      for (const word of ['über', 'antwort1']) t.strictSame(await find(word), [one, many], word)

      const newest = await store.findTurn(SESSION, { completionId: 'c', kind: 'chat' })
      t.equal(newest?.conversationId, many)
      t.equal(await store.findTurn('bob', { completionId: 'c', kind: 'chat' }), null)
      const page = await store.listSessionTurns(SESSION, { kind: 'chat', limit: 1000, order: 'asc' })
      t.equal(page.data.length, 453)

      t.equal(
        await store.countConversations({ expiredBefore: 3 }, 9),
        2,
        'all but the one with a turn that runs'
      )
      t.strictSame(await store.keys.list(), [])

      await goesOn(t, store, one)
      t.strictSame(await find('frage3'), [one], 'what ran is found once it has ended')
    }
  )
}

async function goesOn(t: Test, store: Store, id: string): Promise<void> {
  t.equal(await store.recoverTurns('gone'), 1)
  t.equal((await exchange(store, id)).seq, 4)
  const key = await begin(store, id, { idempotencyKey: 'k', requestHash: 'h' })
  t.match(await store.findTurn(SESSION, { id: key.id }), { seq: 5, attempt: 1 })
}

t.test('a migration that fails leaves the first schema as it was', async (t) => {
  const { url, db } = await (databases.sqlite as never as (t: Test) => Promise<{ url: string; db: Db }>)(t)
  await fill(db, [newId('conv'), newId('conv')], newId('conv'))
  await sql`create table media (in_the_way integer)`.execute(db)
  const schema = async () => (await sql`select sql from sqlite_master order by name`.execute(db)).rows
  const before = await schema()
  await t.rejects(openTestStore(t, url), { code: 'STORE_UNAVAILABLE' })
  t.strictSame(await schema(), before)
  await db.destroy()
})
