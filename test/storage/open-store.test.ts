import { existsSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { migrateStore } from '../../plugins/storage.ts'
import type { Store } from '../../storage/contract.ts'
import { openStore, registerDriver, type StoreOptions } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { begin, createConversation, oneTurn, SESSION } from './contract/rows.ts'

const options: StoreOptions = { report: () => {} }

async function start(t: Test, dbUrl: string): Promise<Store> {
  const store = await openStore(dbUrl, options)
  t.teardown(() => store.close())
  await store.initialize()
  return store
}

t.test('sqlite: and file: name the same kind of store, by an absolute or a relative path', async (t) => {
  const file = path.join(tempFolder(t), 'a folder', 'störe 100%.db')
  const first = await start(t, `sqlite:${file}`)
  const conversation = await createConversation(first)
  t.ok(existsSync(file))
  for (const dbUrl of [`sqlite:${file}`, `file:${file}`, `sqlite:${path.relative('.', file)}`]) {
    const store = await start(t, dbUrl)
    t.strictSame(await store.getConversation(SESSION, conversation.id), conversation)
  }
})

t.test('a URL of an unknown kind is STORE_UNAVAILABLE, in words that never hold the URL', async (t) => {
  const urls = [
    'mysql://user:secret@127.0.0.1/db',
    'SQLITE:secret.db',
    './secret.db',
    'secret',
    '',
    ':secret',
    '://secret',
    'constructor:secret',
    '__proto__:secret'
  ]
  for (const dbUrl of urls) {
    const err = await openStore(dbUrl, options).catch((reason) => reason)
    t.match(err, { name: 'StoreError', code: 'STORE_UNAVAILABLE', message: /known are sqlite:/ })
    t.notMatch(err.message, 'secret')
  }
})

t.test('a URL without a place is refused: what is kept must be found again', async (t) => {
  for (const dbUrl of ['sqlite:', 'sqlite: ', 'file:']) {
    const opening = async () => (await openStore(dbUrl, options)).initialize()
    await t.rejects(opening(), { name: 'StoreError', code: 'STORE_UNAVAILABLE' }, JSON.stringify(dbUrl))
  }
})

t.test('a host can bring its own driver, which is loaded when a URL first names it', async (t) => {
  const given: unknown[][] = []
  let loads = 0
  const store = await openStore('sqlite::memory:', options)
  t.teardown(() => store.close())
  registerDriver('mine', async () => {
    loads += 1
    return (...args) => {
      given.push(args)
      return store
    }
  })
  t.equal(loads, 0)
  t.equal(await openStore('mine://host:1/a?b=c:d', options), store)
  t.equal(loads, 1)
  t.strictSame(given, [['//host:1/a?b=c:d', options]])
})

t.test('a driver that cannot be loaded or opened rejects with its own reason', async (t) => {
  registerDriver('missing', () => import(path.resolve('no-such-driver.ts')))
  await t.rejects(openStore('missing:x', options), { code: 'ERR_MODULE_NOT_FOUND' })
  registerDriver('broken', async () => () => {
    throw new RangeError('no')
  })
  await t.rejects(openStore('broken:x', options), { name: 'RangeError' })
})

t.test('bringing the schema up to date leaves the turns of a running service alone', async (t) => {
  const dbUrl = `sqlite:${path.join(tempFolder(t), 'store.db')}`
  await migrateStore(dbUrl)
  const store = await start(t, dbUrl)
  const { id } = await createConversation(store)
  const running = await begin(store, id)
  await migrateStore(dbUrl)
  t.equal((await oneTurn(store, running))?.status, 'in_progress')
  await t.rejects(migrateStore('mongodb:x'), { message: /^DB_URL: unknown kind of store/ })
})
