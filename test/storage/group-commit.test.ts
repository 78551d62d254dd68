import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Store, TurnKey } from '../../storage/contract.ts'
import { newId } from '../../storage/ids.ts'
import { openTestStore, sqliteUrl } from '../helper/transfer.ts'
import { begin, COMPLETED, createConversation, seqs } from './contract/rows.ts'

t.test('long writes at once do not stop the event loop until all of them are done', async (t) => {
  const store = await openTestStore(t, sqliteUrl(t))
  const COUNT = 40
  const words = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ')
  for (let index = 0; index < COUNT; index++) {
    const created = { id: newId('conv'), sessionId: 'alice', title: null, model: null, createdAt: 1 }
    const turns = Array.from({ length: 400 }, (_, turn) => {
      return {
        id: newId('turn'),
        userText: `${words} ${turn}`,
        assistantText: null,
        detail: null,
        createdAt: 1
      }
    })
    await store.createConversation({ ...created, metadata: { of: String(index) } }, turns)
  }
  let rounds = 0
  const before = { ...store.counters }
  const timer = setInterval(() => {
    rounds += 1
  }, 1)
  const all = Array.from({ length: COUNT }, (_, index) =>
    store.deleteConversations({ metadata: { of: String(index) } }, 500)
  )
  t.strictSame(await Promise.all(all), Array(COUNT).fill({ conversations: 1, turns: 400 }))
  clearInterval(timer)
  t.ok(rounds >= 3, `the event loop went round ${rounds} times`)
  t.ok(store.counters.transactions - before.transactions > 3)
  t.equal(store.counters.writes - before.writes, COUNT)
})

t.test(
  'the first request of a turn of the event loop is written at once, and those after it share a transaction',
  async (t) => {
    const store = await openTestStore(t, sqliteUrl(t))
    const COUNT = 20
    const create = () => {
      const fields = { sessionId: 'alice', title: null, model: null, metadata: {}, createdAt: 1 }
      return store.createConversation({ ...fields, id: newId('conv') })
    }
    const before = { ...store.counters }
    // As sockets do: each in a callback of its own, with promises in between.
    const arrivals = Array.from(
      { length: COUNT },
      () => new Promise((resolve) => setImmediate(() => resolve(create())))
    )
    await Promise.all(arrivals)
    t.equal(store.counters.writes - before.writes, COUNT)
    t.equal(store.counters.transactions - before.transactions, 2)
  }
)

t.test('ends that wait for company are written all the same, and so is what comes after them', async (t) => {
  const store = await openTestStore(t, sqliteUrl(t))
  const ending = { ...COMPLETED, assistantText: 'Yes' }
  for (let round = 0; round < 10; round++) {
    for (const _ of seqs(8)) await createConversation(store) // as many as make it busy
    const turns = [await startTurn(store), await startTurn(store)] as const
    const alone = store.finishTurn(turns[0], ending) // soon after a transaction: it waits
    await sleep(round)
    const other = createConversation(store)
    const beside = store.finishTurn(turns[1], ending) // while one is under way, which takes it along
    t.strictSame([await alone, await beside], [true, true])
    await other
    await sleep(10) // in which the time is over that it might have waited
  }
  const before = store.counters.transactions
  const turns = await Promise.all(seqs(20).map(() => startTurn(store)))
  await Promise.all(turns.map((turn) => store.finishTurn(turn, ending)))
  t.ok(store.counters.transactions - before < 10)
})

async function startTurn(store: Store): Promise<TurnKey> {
  const { id } = await createConversation(store)
  return await begin(store, id)
}
