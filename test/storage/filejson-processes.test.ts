import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { newId } from '../../storage/ids.ts'
import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { runFixture, spawnFixture } from '../helper/fixture.ts'
import { allTurns, begin, createConversation, exchange, seqs } from './contract/rows.ts'

const open = (folder: string) => openStore(`filejson:${folder}`, { report() {} })

/** A process that has the folder. Resolves once it has. */
async function holder(t: Test, folder: string) {
  const child = spawnFixture(t, 'filejson-holder.ts', [folder])
  const [pid] = await once(child.stdout, 'data')
  return { ...child, pid: Number(pid) }
}

t.test('a second process is refused with one clear error, and changes nothing in the folder', async (t) => {
  const folder = tempFolder(t)
  await holder(t, folder)
  // What the holder is about to rename must not be taken for what a crash left.
  const draft = path.join(folder, `${newId('conv')}.json.1-1.tmp`)
  writeFileSync(draft, '{}')
  const store = await open(folder)
  t.teardown(() => store.close())
  const refused = {
    name: 'StoreError',
    code: 'STORE_UNAVAILABLE',
    message: 'another process is using the folder'
  }
  await t.rejects(store.initialize(), refused)
  await t.rejects(store.initialize(), refused, 'and again')
  t.ok(existsSync(draft))
})

t.test('two stores of one process do not share a folder either', async (t) => {
  const folder = tempFolder(t)
  const [one, other] = [await open(folder), await open(folder)]
  t.teardown(() => Promise.all([one.close(), other.close()]))
  await one.initialize()
  await t.rejects(other.initialize(), { code: 'STORE_UNAVAILABLE' })
  await one.close()
  await t.resolves(other.initialize(), 'a close gives it free')
})

t.test('the folder is free at once when its process was killed', async (t) => {
  const folder = tempFolder(t)
  for (const _ of seqs(3)) {
    const { pid, exited } = await holder(t, folder)
    process.kill(pid, 'SIGKILL')
    await exited
  }
  const store = await open(folder)
  t.teardown(() => store.close())
  await t.resolves(store.initialize())
})

t.test('what a crash left half-written is removed at the start, and harms no conversation', async (t) => {
  const folder = tempFolder(t)
  const first = await open(folder)
  await first.initialize()
  const { id } = await createConversation(first)
  await exchange(first, id)
  await first.close()
  const drafts = [
    `${id}.json.4711-3.tmp`,
    `${newId('conv')}.json.1-99.tmp`,
    '.owners.json.4711-4.tmp',
    '.secret.1-1.tmp'
  ]
  for (const name of drafts) writeFileSync(path.join(folder, name), '{"half": ')
  const store = await open(folder)
  t.teardown(() => store.close())
  await store.initialize()
  t.strictSame(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    []
  )
  t.equal((await allTurns(store, id)).length, 1)
})

t.test('an initialize that is called again does not take writes under way for leftovers', async (t) => {
  const store = await open(tempFolder(t))
  t.teardown(() => store.close())
  await store.initialize()
  const { id } = await createConversation(store)
  const begun = seqs(50).map(() => begin(store, id))
  for (const _ of seqs(20)) await store.initialize()
  await t.resolves(Promise.all(begun))
  t.equal((await allTurns(store, id)).length, 50)
})

t.test('a write whose name is in the folder but not flushed is STORE_UNCERTAIN', async (t) => {
  // A folder that may be written but not read can take the file and cannot be opened to be flushed.
  const outcome = await runFixture(t, 'filejson-unflushed.ts', [tempFolder(t)])
  t.strictSame(outcome, { code: 'STORE_UNCERTAIN', turns: 1 })
})
