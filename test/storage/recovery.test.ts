import path from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { Store } from '../../storage/contract.ts'
import { sqliteStore } from '../../storage/drivers/sqlite.ts'
import { BEAT_INTERVAL_MS, createRecovery, DEAD_AFTER_MS } from '../../storage/recovery.ts'
import { tempFolder } from '../helper/app.ts'
import { begin, COMPLETED, createConversation, oneTurn } from './contract/rows.ts'

/** A store with a running turn of the owner `other`, and a watcher, `me`, whose clock the test sets. */
async function start(t: Test) {
  const file = path.join(tempFolder(t), 'store.db')
  const store = sqliteStore(file)
  t.teardown(() => store.close())
  await store.initialize()
  const { id } = await createConversation(store)
  const key = await begin(store, id, { owner: 'other' })
  await store.beat('other')
  const clock = { ms: 1_000_000 }
  const watch = (owner: string) => createRecovery(store, owner, () => clock.ms)
  return { file, store, id, key, clock, watch, recovery: watch('me') }
}

/** Two looks, a millisecond apart: the third may then be the one that counts. */
async function lookTwice(recovery: ReturnType<typeof createRecovery>, clock: { ms: number }): Promise<void> {
  for (let look = 0; look < 2; look++) {
    clock.ms += 1
    await recovery.tick()
  }
}

const owners = async (store: Store) => (await store.beat('me')).map(({ owner }) => owner).toSorted()

t.test('an owner whose beat stands still for 15 s is dead, and its turns are ended', async (t) => {
  const { store, key, clock, recovery } = await start(t)
  t.equal(DEAD_AFTER_MS, 15_000)
  for (const passedMs of [0, 5_000, 5_000, 4_999]) {
    clock.ms += passedMs
    t.equal(await recovery.tick(), 0)
  }
  t.equal((await oneTurn(store, key))?.status, 'in_progress')
  clock.ms += 1
  t.equal(await recovery.tick(), 1)
  t.match(await oneTurn(store, key), { status: 'incomplete', error: 'server_lost' })
  t.strictSame(await owners(store), ['me'])
  clock.ms += 60_000
  t.equal(await recovery.tick(), 0, 'once')
})

t.test('an owner that beats is never dead, however rarely it is looked at', async (t) => {
  const { store, key, clock, recovery } = await start(t)
  for (const passedMs of [BEAT_INTERVAL_MS, 14_999, 15_000, 15_001, 3_600_000]) {
    await store.beat('other')
    t.equal(await recovery.tick(), 0)
    clock.ms += passedMs
  }
  t.equal((await oneTurn(store, key))?.status, 'in_progress')
})

t.test('the time before the first look does not count', async (t) => {
  const { clock, recovery } = await start(t)
  clock.ms += 3_600_000
  t.equal(await recovery.tick(), 0)
  clock.ms += 14_999
  t.equal(await recovery.tick(), 0)
})

t.test('a beat starts the 15 s anew', async (t) => {
  const { store, clock, recovery } = await start(t)
  await recovery.tick()
  clock.ms += 14_999
  await store.beat('other')
  for (const passedMs of [0, 5_000, 5_000, 4_999]) {
    clock.ms += passedMs
    t.equal(await recovery.tick(), 0)
  }
  clock.ms += 1
  t.equal(await recovery.tick(), 1)
})

t.test('time in which nobody looked does not count: the store may have been away for all', async (t) => {
  const { store, key, clock, recovery } = await start(t)
  await recovery.tick()
  clock.ms += 3_600_000
  t.equal(await recovery.tick(), 0)
  clock.ms += 5_000
  t.equal(await recovery.tick(), 0)
  t.equal((await oneTurn(store, key))?.status, 'in_progress')
})

t.test('an owner never ends its own turns', async (t) => {
  const { store, id, clock, watch } = await start(t)
  const recovery = watch('other')
  await begin(store, id, { owner: 'other' })
  for (let look = 0; look < 5; look++) {
    t.equal(await recovery.tick(), 0)
    clock.ms += 60_000
  }
})

t.test('a watcher beats with each look, and so is alive for the others', async (t) => {
  const { store, id, key, clock, watch } = await start(t)
  const mine = await begin(store, id, { owner: 'one' })
  const [one, two] = [watch('one'), watch('two')]
  for (let look = 0; look < 4; look++) {
    await one.tick()
    await two.tick()
    clock.ms += BEAT_INTERVAL_MS
  }
  t.equal((await oneTurn(store, mine))?.status, 'in_progress')
  t.equal((await oneTurn(store, key))?.status, 'incomplete')
})

t.test('of several watchers one ends the turns of the dead', async (t) => {
  const { clock, watch } = await start(t)
  const watchers = ['a', 'b', 'c'].map(watch)
  await Promise.all(watchers.map((watcher) => watcher.tick()))
  for (const watcher of watchers) await lookTwice(watcher, clock)
  clock.ms += DEAD_AFTER_MS
  const ended = await Promise.all(watchers.map((watcher) => watcher.tick()))
  t.strictSame(ended.toSorted(), [0, 0, 1])
})

t.test(
  'an owner that was slow, not dead, can end its turn and is watched anew when it beats again',
  async (t) => {
    const { store, id, key, clock, recovery } = await start(t)
    await recovery.tick()
    await lookTwice(recovery, clock)
    clock.ms += DEAD_AFTER_MS
    t.equal(await recovery.tick(), 1)
    t.equal(await store.finishTurn(key, COMPLETED), true)
    t.match(await oneTurn(store, key), { status: 'completed', error: null })
    await begin(store, id, { owner: 'other' })
    await store.beat('other')
    t.equal(await recovery.tick(), 0)
    await lookTwice(recovery, clock)
    clock.ms += DEAD_AFTER_MS - 3
    t.equal(await recovery.tick(), 0)
    clock.ms += 1
    t.equal(await recovery.tick(), 1)
  }
)

t.test('a look that fails does no harm to the next one', async (t) => {
  const { file, clock, recovery } = await start(t)
  const sqlite = new Database(file)
  t.teardown(() => sqlite.close())
  await recovery.tick()
  await lookTwice(recovery, clock)
  clock.ms += DEAD_AFTER_MS
  sqlite.exec('alter table owners rename to elsewhere')
  await t.rejects(recovery.tick(), { code: 'STORE_UNAVAILABLE' })
  sqlite.exec('alter table elsewhere rename to owners')
  t.equal(await recovery.tick(), 1)
})
