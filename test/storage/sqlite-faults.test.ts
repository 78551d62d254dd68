import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { sqliteStore } from '../../storage/drivers/sqlite.ts'
import { tempFolder } from '../helper/app.ts'
import { runFixture } from '../helper/fixture.ts'
import { openWithConnection } from '../helper/sqlite-connection.ts'
import { createConversation, exchange, newConversation, SESSION } from './contract/rows.ts'

const page = { limit: 10, order: 'asc' } as const

/** A file with a store that has been used and closed. */
async function usedFile(t: Test, folder = tempFolder(t)): Promise<string> {
  const file = path.join(folder, 'store.db')
  const store = sqliteStore(file)
  await store.initialize()
  await exchange(store, (await createConversation(store)).id)
  await store.close()
  return file
}

/** Places where no store can be opened, by what they are; each has the word `secret` in its path. */
const unusable: { [title: string]: (folder: string) => string } = {
  'a folder': (folder) => folder,
  'a file in a file': (folder) => {
    writeFileSync(path.join(folder, 'file'), '')
    return path.join(folder, 'file', 'store.db')
  },
  'a file that is no database': (folder) => {
    writeFileSync(
      path.join(folder, 'store.db'),
      'not a database, but a text that is long enough\n'.repeat(100)
    )
    return path.join(folder, 'store.db')
  },
  'a name that no file can have': (folder) => path.join(folder, 'x'.repeat(300))
}

for (const [title, make] of Object.entries(unusable)) {
  t.test(`${title} is STORE_UNAVAILABLE, in words that do not give its path away`, async (t) => {
    const folder = path.join(tempFolder(t), 'secret')
    mkdirSync(folder)
    const file = make(folder)
    const err = await (async () => sqliteStore(file).initialize())().catch((reason) => reason)
    t.match(err, { name: 'StoreError', code: 'STORE_UNAVAILABLE', message: /SQLite file/ })
    t.notMatch(err.message, 'secret')
  })
}

t.test('a file that is no database is left as it was', async (t) => {
  const file = path.join(tempFolder(t), 'notes.txt')
  const notes = 'dear diary\n'.repeat(500)
  writeFileSync(file, notes)
  await t.rejects(sqliteStore(file).initialize(), { code: 'STORE_UNAVAILABLE' })
  t.equal(readFileSync(file, 'utf8'), notes)
})

t.test('a file, or a folder, that may not be written is STORE_UNAVAILABLE', async (t) => {
  const refused = /^STORE_UNAVAILABLE: .*(SQLITE_READONLY|SQLITE_CANTOPEN|EACCES)/
  const cases = [
    { fileMode: 0o666, folderMode: 0o777, name: 'store.db', expected: /^ok$/ },
    { fileMode: 0o444, folderMode: 0o777, name: 'store.db', expected: refused },
    { fileMode: 0o666, folderMode: 0o555, name: 'store.db', expected: refused },
    { fileMode: 0o666, folderMode: 0o555, name: 'new.db', expected: refused },
    { fileMode: 0o666, folderMode: 0o555, name: 'a/new.db', expected: refused }
  ]
  for (const { fileMode, folderMode, name, expected } of cases) {
    const folder = tempFolder(t)
    chmodSync(await usedFile(t, folder), fileMode)
    chmodSync(folder, folderMode)
    const outcomes = (await runFixture(t, 'store-attempts.ts', [path.join(folder, name), '10'])) as string[]
    t.match(outcomes.at(-1), expected)
    t.notMatch(outcomes.join(), folder)
  }
})

t.test('a schema that is newer than this version is STORE_SCHEMA, and is left alone', async (t) => {
  const file = await usedFile(t)
  const sqlite = new Database(file)
  t.teardown(() => sqlite.close())
  sqlite.prepare('insert into kysely_migration values (?, ?)').run('9999_later', new Date().toISOString())
  const schema = () => sqlite.prepare('select sql from sqlite_master').all()
  const before = schema()
  const store = sqliteStore(file)
  t.teardown(() => store.close())
  await t.rejects(store.initialize(), { name: 'StoreError', code: 'STORE_SCHEMA' })
  t.strictSame(schema(), before)
})

t.test('what is stored but cannot be read is STORE_CORRUPT', async (t) => {
  const { store, connection } = await openWithConnection(await usedFile(t))
  t.teardown(() => store.close())
  const id = (await store.listConversations(SESSION, page)).data[0]?.id ?? ''
  connection.exec(`update turns set detail = '{"cut'`)
  await t.rejects(store.listTurns(SESSION, id, page), { name: 'StoreError', code: 'STORE_CORRUPT' })
  await t.resolves(store.getConversation(SESSION, id), 'the rest can be read')
  connection.exec(`update conversations set metadata = '{"cut'`)
  await t.rejects(store.getConversation(SESSION, id), { code: 'STORE_CORRUPT' })
  await t.rejects(store.listConversations(SESSION, page), { code: 'STORE_CORRUPT' })
  await t.rejects(store.updateConversation(SESSION, id, { pinned: true }), { code: 'STORE_CORRUPT' })
  t.equal(connection.prepare('select pinned from conversations').pluck().get(), 0, 'nothing was changed')
})

t.test(
  'a write for which there is no room is STORE_UNAVAILABLE, and the writes beside it are kept',
  async (t) => {
    const { store, connection } = await openWithConnection(await usedFile(t))
    t.teardown(() => store.close())
    const room = Number(connection.pragma('page_count', { simple: true })) + 10
    connection.pragma(`max_page_count = ${room}`)
    const large = newConversation({ title: 'x'.repeat(1_000_000) })
    const results = await Promise.allSettled([
      createConversation(store),
      store.createConversation(large),
      createConversation(store)
    ])
    const full = { name: 'StoreError', code: 'STORE_UNAVAILABLE', message: /SQLITE_FULL/ }
    t.match(results, [{ status: 'fulfilled' }, { status: 'rejected', reason: full }, { status: 'fulfilled' }])
    t.equal(await store.getConversation(SESSION, large.id), null)
    t.equal((await store.listConversations(SESSION, page)).data.length, 3)
    connection.pragma('max_page_count = 1000000')
    await t.resolves(store.createConversation(large), 'and works once there is room')
  }
)

t.test(
  'a disk that refuses a commit is STORE_UNAVAILABLE for a reason, and later writes work again',
  async (t) => {
    const folder = tempFolder(t)
    chmodSync(folder, 0o777)
    // The shell limits the size of the files that the process may write; a small write still fits.
    const args = [path.join(folder, 'store.db'), '10', '3000000', '10', '3000000', '10']
    const outcomes = (await runFixture(t, 'store-attempts.ts', args, 'ulimit -f 2048')) as string[]
    const refused = /^STORE_UNAVAILABLE: .*SQLITE_(FULL|IOERR)/
    t.match(outcomes, ['ok', 'ok', refused, 'ok', refused, 'ok'])
  }
)
