import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler
} from 'kysely'
import t from 'tap'
import type { Tables } from '../../storage/drivers/sql/tables.ts'
import { portionQuery } from '../../storage/drivers/sql/turn-counts.ts'
import { lowestId } from '../../storage/ids.ts'
import { openDatabase } from '../helper/database.ts'
import { startDatabase } from '../helper/postgres.ts'
import { connect } from '../helper/postgres-client.ts'
import { addConversation, openTestStore, sqliteUrl } from '../helper/transfer.ts'

/** The store's own query, as it asks it. */
function compiled(name: 'sqlite' | 'postgres') {
  const isSqlite = name === 'sqlite'
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => (isSqlite ? new SqliteAdapter() : new PostgresAdapter()),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => (isSqlite ? new SqliteIntrospector(db) : new PostgresIntrospector(db)),
      createQueryCompiler: () => (isSqlite ? new SqliteQueryCompiler() : new PostgresQueryCompiler())
    }
  })
  const { sql, parameters } = portionQuery(db, 'alice', 1, lowestId('turn', 1), 100).compile()
  return { sql, parameters: [...parameters] }
}

t.test('sqlite: a portion is a range of the session’s index, and no more of it is sorted', async (t) => {
  const url = sqliteUrl(t)
  await openTestStore(t, url)
  const { sql, parameters } = compiled('sqlite')
  const plan = openDatabase(t, url).prepare(`explain query plan ${sql}`).all(parameters)
  const details = plan.map((row) => (row as { detail: string }).detail)
  const turns = details.filter((detail) => /\bturns\b/.test(detail))
  t.strictSame(turns, ['SEARCH turns USING INDEX turns_session (session_id=? AND id>?)'])
  t.notMatch(details.join('\n'), /FOR ORDER BY/)
})

t.test('postgres: a portion is a range of the session’s index, and no more of it is sorted', async (t) => {
  const url = await startDatabase()
  await openTestStore(t, url)
  const client = await connect(t, url)
  await client.query(`insert into conversations select 'c', 'alice', null, null, '{}', 0, 0, 1, 1`)
  await client.query(`insert into turns (id, session_id, conversation_id, seq, parent_seq, superseded, status, created_at)
    select 'turn_' || lpad(to_hex(n), 32, '0'), case n % 2 when 0 then 'alice' else 'bob' end, 'c', n, 0, 0, 'completed', n
    from generate_series(1, 20000) n`)
  await client.query('analyze turns')
  const { sql, parameters } = compiled('postgres')
  const plan = await client.query(`explain ${sql}`, parameters)
  const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n')
  t.match(
    text,
    /Limit.*\n.*Index Scan using turns_session on turns.*\n.*Index Cond: \(\(session_id = .*\) AND \(id > /
  )
})

t.test('sqlite: others are served while many turns are counted', async (t) => {
  const store = await openTestStore(t, sqliteUrl(t))
  await addConversation(store, 2_000)
  let counted = false
  const counting = store.countTurns('alice', 0).finally(() => {
    counted = true
  })
  let others = 0
  while (!counted) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!counted) others += 1
  }
  t.equal(
    (await counting).reduce((sum, { turns }) => sum + turns, 0),
    2_000
  )
  t.ok(others >= 3, `${others} times`)
})
