import type { OwnerBeat } from '../../../storage/contract.ts'
import type { ContractPart } from '../contract.ts'
import { allTurns, begin, COMPLETED, createConversation, exchange, oneTurn } from './rows.ts'

function beatOf(beats: OwnerBeat[], owner: string): number | undefined {
  return beats.find((row) => row.owner === owner)?.beat
}

const recovery: ContractPart = (t, start) => {
  t.test('a beat is one more than the one before, each owner on its own', async (t) => {
    const store = await start(t)
    const first = beatOf(await store.beat('one'), 'one') ?? Number.NaN
    const other = beatOf(await store.beat('other'), 'other') ?? Number.NaN
    for (const n of [1, 2, 3]) t.equal(beatOf(await store.beat('one'), 'one'), first + n)
    const beats = await store.beat('other')
    t.strictSame(
      beats.toSorted((a, b) => (a.owner < b.owner ? -1 : 1)),
      [
        { owner: 'one', beat: first + 3 },
        { owner: 'other', beat: other + 1 }
      ]
    )
  })

  t.test('beats at the same time all count', async (t) => {
    const store = await start(t)
    const first = beatOf(await store.beat('one'), 'one') ?? Number.NaN
    await Promise.all(Array.from({ length: 20 }, () => store.beat('one')))
    t.equal(beatOf(await store.beat('one'), 'one'), first + 21)
  })

  t.test('recovery ends the running turns of one owner and says how many', async (t) => {
    const store = await start(t)
    const [{ id }, other] = [await createConversation(store), await createConversation(store)]
    const lost = [
      await begin(store, id, { owner: 'lost', detail: { input: 1 } }),
      await begin(store, other.id, { owner: 'lost' })
    ]
    const alive = await begin(store, id, { owner: 'alive' })
    const ended = await exchange(store, id, { owner: 'lost' })
    const before = await Promise.all([alive, ended].map((key) => oneTurn(store, key)))

    t.equal(await store.recoverTurns('lost'), 2)
    for (const key of lost) {
      t.match(await oneTurn(store, key), {
        status: 'incomplete',
        error: 'server_lost',
        userText: 'Hi',
        assistantText: null
      })
    }
    t.strictSame((await allTurns(store, id))[0]?.detail, { input: 1 })
    t.strictSame(await Promise.all([alive, ended].map((key) => oneTurn(store, key))), before)
    t.equal(await store.recoverTurns('lost'), 0, 'a second time there is nothing left')
    t.equal(await store.recoverTurns('nobody'), 0)
    t.equal(await store.recoverTurns('alive'), 1)
  })

  t.test('an owner that runs a turn and has not beaten counts as 0', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const running = await begin(store, id, { owner: 'silent' })
    t.equal(beatOf(await store.beat('one'), 'silent'), 0)
    await store.finishTurn(running, COMPLETED)
    t.equal(beatOf(await store.beat('one'), 'silent'), undefined)
  })

  t.test('a recovered owner is forgotten until it beats again', async (t) => {
    const store = await start(t)
    await store.beat('lost')
    await store.beat('one')
    await store.recoverTurns('lost')
    t.equal(beatOf(await store.beat('one'), 'lost'), undefined)
    t.type(beatOf(await store.beat('lost'), 'lost'), 'number')
  })

  t.test('of two recoveries at once each turn is counted by one', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of [1, 2, 3]) await begin(store, id, { owner: 'lost' })
    const counts = await Promise.all([store.recoverTurns('lost'), store.recoverTurns('lost')])
    t.strictSame(counts.toSorted(), [0, 3])
  })
}

export default recovery
