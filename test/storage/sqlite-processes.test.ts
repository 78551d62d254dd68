import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { sqliteStore } from '../../storage/drivers/sqlite.ts'
import { tempFolder } from '../helper/app.ts'
import { runFixture } from '../helper/fixture.ts'
import { lockFile } from '../helper/foreign-lock.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  createConversation,
  newConversation,
  SESSION,
  seqs
} from './contract/rows.ts'

async function start(t: Test) {
  const file = path.join(tempFolder(t), 'store.db')
  const store = sqliteStore(file)
  t.teardown(() => store.close())
  await store.initialize()
  return { file, store }
}

/** The longest time that the event loop stood still while `work` ran, in milliseconds. */
async function longestStandstill(work: () => Promise<unknown>): Promise<number> {
  const tickMs = 5
  let last = performance.now()
  let longestMs = 0
  const tick = (): void => {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - last - tickMs)
    last = now
  }
  const timer = setInterval(tick, tickMs)
  await work()
  clearInterval(timer)
  tick()
  return longestMs
}

t.test('processes that use one conversation at once are never told that the file is busy', async (t) => {
  const { file, store } = await start(t)
  const { id } = await createConversation(store)
  const results = await Promise.all(seqs(2).map(() => runFixture(t, 'store-load.ts', [file, id, '200'])))
  t.strictSame(
    (results as number[][]).flat().toSorted((a, b) => a - b),
    seqs(400)
  )
  const turns = await allTurns(store, id)
  t.strictSame(
    turns.map(({ seq, status }) => `${seq} ${status}`),
    seqs(400).map((seq) => `${seq} completed`)
  )
})

t.test('several processes may start on a file that is not there yet', async (t) => {
  const file = path.join(tempFolder(t), 'store.db')
  const starts = seqs(4).map(() => runFixture(t, 'store-load.ts', [file]))
  t.strictSame(await Promise.all(starts), [[], [], [], []])
})

t.test('a lock held elsewhere for 3 s holds up writes, but neither reads nor the event loop', async (t) => {
  const { file, store } = await start(t)
  const { id } = await createConversation(store)

  async function measure(): Promise<number> {
    const key = await begin(store, id)
    const release = await lockFile(t, file)
    const settled: string[] = []
    return await longestStandstill(async () => {
      const writes = [begin(store, id), store.finishTurn(key, COMPLETED), createConversation(store)]
      for (const write of writes) write.then(() => settled.push('written'))
      for (let waitedMs = 0; waitedMs < 3000; waitedMs += 100) {
        await wait(100)
        await store.getConversation(SESSION, id)
        await store.listTurns(SESSION, id, { limit: 10, order: 'asc' })
      }
      t.strictSame(settled, [], 'no write gets past the lock')
      await release()
      t.equal((await Promise.all(writes))[1], true)
    })
  }

  let standstillMs = await measure()
  if (standstillMs >= 50) standstillMs = await measure() // a busy machine may stop any process once
  t.ok(standstillMs < 50, `the event loop stood still for ${standstillMs.toFixed(1)} ms at most`)
})

t.test('a write that waits too long for a lock is STORE_UNAVAILABLE and leaves nothing behind', async (t) => {
  const { file, store } = await start(t)
  const kept = await createConversation(store)
  const release = await lockFile(t, file)
  const lost = newConversation()
  const unavailable = { name: 'StoreError', code: 'STORE_UNAVAILABLE' }
  const writes = [
    t.rejects(store.createConversation(lost), unavailable),
    t.rejects(store.deleteConversation(SESSION, kept.id), unavailable),
    t.rejects(store.beat('here'), unavailable)
  ]
  await Promise.all(writes)
  await release()
  t.equal(await store.getConversation(SESSION, lost.id), null)
  t.strictSame(await store.getConversation(SESSION, kept.id), kept)
  await t.resolves(store.createConversation(lost), 'and the next write works')
})

t.test('a start waits for a lock too', async (t) => {
  const { file, store } = await start(t)
  const release = await lockFile(t, file)
  const other = sqliteStore(file)
  t.teardown(() => other.close())
  const initialized = other.initialize()
  await store.ping()
  await wait(50) // long enough for the first tries to fail
  await release()
  await t.resolves(initialized)
  await t.resolves(createConversation(other))
})
