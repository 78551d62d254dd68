import { readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Store } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import { createSweeper, DAY_MS } from '../../../storage/retention/sweeper.ts'
import { openDatabase } from '../../helper/database.ts'
import { addDue, CUTOFF, DAYS, idsIn, NOW, testClocks } from '../../helper/due.ts'
import { DRIVERS } from '../../helper/every-driver.ts'
import { connect } from '../../helper/postgres-client.ts'
import { openTestStore, sqliteUrl } from '../../helper/transfer.ts'
import { begin, COMPLETED, newTurn } from '../contract/rows.ts'

/** The rows, or files, in which something of a conversation is. */
async function traces(t: Test, url: string): Promise<number> {
  const count = (table: string) => `(select count(*) from ${table})`
  const sum = `select ${['conversations', 'turns', 'media', 'search_entries'].map(count).join(' + ')} as n`
  if (url.startsWith('postgres')) return Number((await (await connect(t, url)).query(sum)).rows[0].n)
  if (url.startsWith('sqlite')) return openDatabase(t, url).prepare<[], { n: number }>(sum).get()?.n ?? -1
  const names = readdirSync(url.slice('filejson:'.length)).filter((name) => name.includes('conv_'))
  return names.length * 2
}

const sweeperOf = (store: Store, options: { batchTurns?: number; budgetMs?: number } = {}) =>
  createSweeper(store, { days: DAYS, clocks: testClocks().clocks, ...options })

for (const [driver, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${driver}: what is due goes whole, and nothing else goes`, async (t) => {
    const store = await openTestStore(t, await makePlace(t))
    const old = { activeAt: CUTOFF - 1_000 * DAY_MS }
    for (const fields of [{}, { sessionId: 'bob' }, old, { createdAt: NOW }, { metadata: { user: '42' } }])
      await addDue(store, 2, fields)
    await addDue(store, 0)
    const kept = {
      atTheCutoff: await addDue(store, 1, { activeAt: CUTOFF }),
      active: await addDue(store, 1, { activeAt: NOW, createdAt: 1 }),
      ahead: await addDue(store, 1, { activeAt: NOW + DAY_MS }),
      pinned: await addDue(store, 1, { pinned: true, ...old }),
      pinnedOfBob: await addDue(store, 1, { pinned: true, sessionId: 'bob' })
    }
    const running = await addDue(store)
    const key = await begin(store, running.id, { createdAt: CUTOFF - 1 })
    const revived = await addDue(store)
    await store.finishTurn(await begin(store, revived.id, { createdAt: CUTOFF }), COMPLETED)

    const sweeper = sweeperOf(store)
    t.strictSame(await sweeper.run(), { conversations: 6, turns: 10, complete: true })
    const left = [...Object.values(kept), running, revived].map(({ id }) => id)
    t.strictSame(await idsIn(store), left.toSorted())

    await store.finishTurn(key, COMPLETED)
    t.strictSame(await sweeper.run(), { conversations: 1, turns: 2, complete: true }, 'it ran, and is old')
    t.strictSame(await sweeper.run(), { conversations: 0, turns: 0, complete: true })
    t.strictSame(sweeper.counters, {
      conversations: 7,
      turns: 12,
      runs: 3,
      failures: 0,
      lastSuccessAt: NOW
    })
  })

  t.test(`${driver}: of several sweepers at once each counts what it has deleted itself`, async (t) => {
    const url = await makePlace(t)
    // A folder has one process, which may ask for several things at once all the same.
    const first = await openTestStore(t, url)
    const others = await Promise.all(
      [1, 2].map(() => (driver === 'filejson' ? first : openTestStore(t, url)))
    )
    for (let i = 0; i < 60; i++) await addDue(first, (i % 4) + 1)
    const kept = await addDue(first, 1, { activeAt: NOW })
    const sweepers = [first, ...others].map((store) => sweeperOf(store, { batchTurns: 7 }))
    const outcomes = await Promise.all(sweepers.map((sweeper) => sweeper.run()))
    t.match(outcomes, Array(3).fill({ complete: true }))
    const sum = (what: 'conversations' | 'turns') =>
      sweepers.reduce((total, { counters }) => total + counters[what], 0)
    t.strictSame([sum('conversations'), sum('turns')], [60, 150])
    t.strictSame(await idsIn(first), [kept.id])
  })

  t.test(`${driver}: a chat that begins while it is swept is kept, or was never begun`, async (t) => {
    const store = await openTestStore(t, await makePlace(t))
    const due: string[] = []
    for (let i = 0; i < 40; i++) due.push((await addDue(store, 2)).id)
    const swept = sweeperOf(store, { batchTurns: 4 }).run()
    const chats = due.toReversed().map(async (id) => {
      const begun = await store.beginTurn(newTurn(id, { createdAt: NOW }))
      if (begun?.outcome !== 'begun') return null
      return (await store.finishTurn(begun.turn, COMPLETED)) && id
    })
    const results = await Promise.all(chats)
    t.notOk(results.includes(false), 'what has begun can end')
    const kept = results.filter((id) => typeof id === 'string')
    const { conversations } = (await swept) as { conversations: number }
    t.equal(conversations, due.length - kept.length)
    t.strictSame(await idsIn(store), kept.toSorted())
    const lastSeqs = kept.map(async (id) => (await store.getConversation('alice', id))?.lastSeq)
    t.strictSame(await Promise.all(lastSeqs), Array(kept.length).fill(3))
  })

  t.test(`${driver}: what a conversation had is gone with it: search, media, keys, answers`, async (t) => {
    const url = await makePlace(t)
    const store = await openTestStore(t, url)
    const image = `data:image/png;base64,${'A'.repeat(2_000)}`
    const detail = { input: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: image } }] }] }
    const { id } = await addDue(store, 0, { title: 'Pelican' })
    const requested = { idempotencyKey: 'order-17', requestHash: 'h', createdAt: CUTOFF - 1, detail }
    const key = await begin(store, id, { ...requested, userText: 'walrus' })
    await store.finishTurn(key, {
      ...COMPLETED,
      completionId: 'chatcmpl-old',
      assistantText: 'puffin',
      detail
    })
    const find = async (word: string) =>
      (await store.listConversations('alice', { limit: 9, order: 'asc', words: [word] })).data.length
    for (const word of ['pelican', 'walrus', 'puffin']) t.equal(await find(word), 1)

    t.ok((await traces(t, url)) >= 2)
    t.match(await sweeperOf(store).run(), { conversations: 1, turns: 1 })
    t.equal(await traces(t, url), 0)
    for (const word of ['pelican', 'walrus', 'puffin']) t.equal(await find(word), 0, word)
    t.equal(await store.findTurn('alice', { id: key.id }), null)
    t.equal(await store.findTurn('alice', { completionId: 'chatcmpl-old', kind: 'chat' }), null)
    t.equal(await store.listTurns('alice', id, { limit: 9, order: 'asc' }), null)
    const again = newTurn(newId('conv'), { ...requested, create: true, createdAt: NOW })
    t.match(await store.beginTurn(again), { outcome: 'begun' }, 'the key names no request any more')
  })
}

t.test('more than fits into one run is for the runs after it', async (t) => {
  const store = await openTestStore(t, 'sqlite::memory:')
  for (let i = 0; i < 5; i++) await addDue(store, 3)
  const sweeper = sweeperOf(store, { batchTurns: 6, budgetMs: 0 })
  const outcomes = []
  for (let run = 0; run < 4; run++) outcomes.push(await sweeper.run())
  t.strictSame(outcomes, [
    { conversations: 2, turns: 6, complete: false },
    { conversations: 2, turns: 6, complete: false },
    { conversations: 1, turns: 3, complete: false },
    { conversations: 0, turns: 0, complete: true }
  ])
  t.match(sweeper.counters, { conversations: 5, turns: 15, runs: 4, failures: 0 })
})

t.test('a call while a run is under way is answered by that run', async (t) => {
  const store = await openTestStore(t, 'sqlite::memory:')
  for (let i = 0; i < 5; i++) await addDue(store)
  const sweeper = sweeperOf(store)
  const outcomes = await Promise.all([sweeper.run(), sweeper.run()])
  t.strictSame(outcomes, Array(2).fill({ conversations: 5, turns: 5, complete: true }))
  t.equal(sweeper.counters.runs, 1)
})

t.test('a run that fails counts as failed, with what it had deleted, and the next one goes on', async (t) => {
  const url = sqliteUrl(t)
  const store = await openTestStore(t, url)
  for (const title of ['goes', 'stuck', 'waits']) await addDue(store, 2, { title })
  const sqlite = openDatabase(t, url)
  sqlite.exec(
    "create trigger no before delete on conversations when old.title = 'stuck' \
    begin select raise(abort, 'no'); end"
  )
  const sweeper = sweeperOf(store, { batchTurns: 2 })
  await t.rejects(sweeper.run(), { code: 'STORE_UNAVAILABLE' })
  t.strictSame(sweeper.counters, { conversations: 1, turns: 2, runs: 1, failures: 1, lastSuccessAt: 0 })
  sqlite.exec('drop trigger no')
  t.match(await sweeper.run(), { conversations: 2 })
  t.strictSame(sweeper.counters, { conversations: 3, turns: 6, runs: 2, failures: 1, lastSuccessAt: NOW })
})

t.test('0 days delete nothing, however old it is', async (t) => {
  const store = await openTestStore(t, 'sqlite::memory:')
  await addDue(store, 1, { activeAt: 1 })
  const sweeper = createSweeper(store, { days: 0 })
  t.strictSame(await sweeper.run(), { conversations: 0, turns: 0, complete: true })
  t.equal((await idsIn(store)).length, 1)
  t.strictSame(sweeper.counters, { conversations: 0, turns: 0, runs: 0, failures: 0, lastSuccessAt: 0 })
})
