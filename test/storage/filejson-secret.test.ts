import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'

async function start(t: Test, folder: string) {
  const reports: string[] = []
  const store = await openStore(`filejson:${folder}`, { report: (message) => reports.push(message) })
  t.teardown(() => store.close())
  await store.initialize()
  return { store, reports }
}

t.test(
  'the secret is in a file that its owner alone may read, made when it is first asked for',
  async (t) => {
    const folder = tempFolder(t)
    const { store, reports } = await start(t, folder)
    const file = path.join(folder, '.secret')
    t.notOk(readdirSync(folder).includes('.secret'))
    const secrets = await Promise.all([store.secret(), store.secret()])
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.strictSame(secrets, Array(2).fill(readFileSync(file, 'utf8').trim()))
    t.strictSame(reports, [])
    t.match(
      await store.listConversations('alice', { limit: 9, order: 'asc' }),
      { data: [] },
      'it is no conversation'
    )
  }
)

for (const damaged of ['', 'short\n', `${'a'.repeat(42)}\n`, '\0'.repeat(64), `${'a'.repeat(43)} b`]) {
  t.test(
    `one that is ${JSON.stringify(damaged.slice(0, 9))}… is made anew, and told of without what it was`,
    async (t) => {
      const folder = tempFolder(t)
      writeFileSync(path.join(folder, '.secret'), damaged)
      const { store, reports } = await start(t, folder)
      const secret = await store.secret()
      t.match(secret, /^[\w-]{43}$/)
      t.equal(readFileSync(path.join(folder, '.secret'), 'utf8'), `${secret}\n`)
      t.equal(reports.length, 1)
      t.notMatch(reports.join(), /aaa|short/)
      await store.close()
      const again = await start(t, folder)
      t.equal(await again.store.secret(), secret)
      t.strictSame(again.reports, [])
    }
  )
}

t.test('a folder that gives none is STORE_UNAVAILABLE, and asked again', async (t) => {
  const folder = tempFolder(t)
  const { store } = await start(t, folder)
  mkdirSync(path.join(folder, '.secret'))
  await t.rejects(store.secret(), { name: 'StoreError', code: 'STORE_UNAVAILABLE' })
  rmdirSync(path.join(folder, '.secret'))
  t.match(await store.secret(), /^[\w-]{43}$/)
})
