import { statSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { sqliteStore } from '../../storage/drivers/sqlite.ts'
import { tempFolder } from '../helper/app.ts'
import { openWithConnection } from '../helper/sqlite-connection.ts'
import { begin, COMPLETED, createConversation, newConversation, newTurn, seqs } from './contract/rows.ts'
import { storeContract } from './contract.ts'

const fileOf = (t: Test): string => path.join(tempFolder(t), 'store.db')

storeContract('sqlite', (t) => {
  const file = fileOf(t)
  return () => sqliteStore(file)
})

async function start(t: Test) {
  const opened = await openWithConnection(fileOf(t))
  t.teardown(() => opened.store.close())
  return opened
}

t.test('every commit is flushed to the disk: WAL, and synchronous is FULL after a transaction', async (t) => {
  const { store, connection } = await start(t)
  const { id } = await createConversation(store)
  await store.finishTurn(await begin(store, id), COMPLETED)
  const expected = { synchronous: 2, journal_mode: 'wal', foreign_keys: 1, busy_timeout: 0 }
  for (const [setting, value] of Object.entries(expected)) {
    t.equal(connection.pragma(setting, { simple: true }), value, setting)
  }
})

t.test('folders that are missing are made, for their owner alone', async (t) => {
  const folder = path.join(tempFolder(t), 'a', 'b')
  const store = sqliteStore(path.join(folder, 'store.db'))
  await store.initialize()
  await store.close()
  t.equal(statSync(folder).mode & 0o777, 0o700)
})

t.test('100 writes at once share a few transactions', async (t) => {
  const { store } = await start(t)
  const { id } = await createConversation(store)
  const before = { ...store.counters }
  await Promise.all(seqs(100).map(() => begin(store, id)))
  t.equal(store.counters.writes - before.writes, 100)
  const transactions = store.counters.transactions - before.transactions
  t.ok(transactions <= 10, `${transactions} transactions`)
})

t.test('a write that fails in a shared transaction fails alone', async (t) => {
  const { store, connection } = await start(t)
  const { id } = await createConversation(store)
  const before = store.counters.transactions
  const results = await Promise.allSettled([
    begin(store, id),
    store.beginTurn(newTurn(id, { parentSeq: 99 })),
    begin(store, id),
    store.createConversation(newConversation({ id })),
    begin(store, id)
  ])
  t.match(results, [
    { value: { seq: 1 } },
    { reason: { code: 'PARENT_INVALID' } },
    { value: { seq: 2 } },
    { reason: { name: 'StoreError', code: 'STORE_UNAVAILABLE', cause: { code: /^SQLITE_CONSTRAINT/ } } },
    { value: { seq: 3 } }
  ])
  t.ok(store.counters.transactions - before < 5, 'they did share')
  t.equal(connection.inTransaction, false)
})

t.test('a write is on the disk before it is reported', async (t) => {
  const file = fileOf(t)
  const store = sqliteStore(file)
  t.teardown(() => store.close())
  await store.initialize()
  const other = new Database(file, { readonly: true })
  t.teardown(() => other.close())
  const count = other.prepare('select count(*) from turns').pluck()
  const { id } = await createConversation(store)
  const seen = seqs(20).map(async () => {
    const { seq } = await begin(store, id)
    return Number(count.get()) >= seq
  })
  t.strictSame(new Set(await Promise.all(seen)), new Set([true]))
})
