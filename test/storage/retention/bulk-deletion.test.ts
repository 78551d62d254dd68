import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type DeletingStore, deleteInBatches } from '../../../storage/retention/bulk-deletion.ts'
import { addDue, CUTOFF, idsIn } from '../../helper/due.ts'
import { eventually } from '../../helper/endings.ts'
import { startDatabase } from '../../helper/postgres.ts'
import { connect } from '../../helper/postgres-client.ts'
import { openTestStore } from '../../helper/transfer.ts'

const DUE = { expiredBefore: CUTOFF }

t.test('after each batch it rests at least as long as that took', async (t) => {
  const store = await openTestStore(t, 'sqlite::memory:')
  for (let i = 0; i < 4; i++) await addDue(store)
  const batches: { from: number; to: number }[] = []
  const slow: DeletingStore = {
    countConversations: store.countConversations,
    async deleteConversations(which, maxTurns) {
      const from = performance.now()
      await sleep(40) // as under load
      const batch = await store.deleteConversations(which, maxTurns)
      batches.push({ from, to: performance.now() })
      return batch
    }
  }
  const budget = { budgetMs: Number.POSITIVE_INFINITY, batchTurns: 1 }
  t.match(await deleteInBatches(slow, DUE, budget), { conversations: 4, complete: true })
  t.equal(batches.length, 5)
  for (const [index, { from }] of batches.entries()) {
    const before = batches[index - 1]
    if (before) t.ok(from - before.to >= before.to - before.from - 2, 'a timer may be a millisecond early')
  }
})

t.test('stopped, it ends after the batch under way', async (t) => {
  const store = await openTestStore(t, 'sqlite::memory:')
  for (let i = 0; i < 4; i++) await addDue(store)
  const stop = new AbortController()
  const options = { budgetMs: 60_000, batchTurns: 1, signal: stop.signal, onBatch: () => stop.abort() }
  t.strictSame(await deleteInBatches(store, DUE, options), { conversations: 1, turns: 1, complete: false })
  t.strictSame(
    await deleteInBatches(store, DUE, options),
    { conversations: 0, turns: 0, complete: false },
    'it does not even begin'
  )
  t.equal((await idsIn(store)).length, 3)
})

t.test('a conversation that another transaction holds is waited for, but not for ever', async (t) => {
  const url = await startDatabase()
  const store = await openTestStore(t, url)
  const { id } = await addDue(store)
  await addDue(store)
  const client = await connect(t, url)
  const hold = async () => {
    await client.query('begin')
    await client.query('select 1 from conversations where id = $1 for update', [id])
  }
  await hold()
  t.strictSame(
    await deleteInBatches(store, DUE, { budgetMs: 60_000 }),
    { conversations: 1, turns: 1, complete: false },
    'what is free goes'
  )
  t.strictSame(await idsIn(store), [id])
  await client.query('rollback')

  await addDue(store)
  await hold()
  const deleting = deleteInBatches(store, DUE, { budgetMs: 60_000 })
  await eventually('the other is deleted', async () => (await idsIn(store)).length === 1)
  await client.query('rollback')
  t.strictSame(await deleting, { conversations: 2, turns: 2, complete: true })
})
