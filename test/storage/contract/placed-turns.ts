import type { NewTurn } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  createConversation,
  exchange,
  FAILED,
  newTurn,
  SESSION,
  seqs
} from './rows.ts'

const BUSY = { name: 'StoreError', code: 'CONVERSATION_BUSY' }
const INVALID = { name: 'StoreError', code: 'PARENT_INVALID' }
const FULL = { name: 'StoreError', code: 'CONVERSATION_FULL' }

/** Of a turn that begins again. */
const LATER = 1_800_000_000_000

/** A turn whose parent, whose newest turn and whose mark are all said, in whatever order a driver looks at them. */
const placedTurns: ContractPart = (t, start) => {
  t.test('a turn begins where it is placed, with its mark', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const placed = { askedMark: 'asked', title: 'Mine', model: 'm', maxSeq: 9 }
    for (const [expectedLastSeq, parentSeq, expected] of [
      [0, 0, 0],
      [1, 1, 1],
      [2, 0, 0],
      [3, 2, 2],
      [4, null, 4],
      [null, 1, 1]
    ] as const) {
      const key = await begin(store, id, { ...placed, expectedLastSeq, parentSeq })
      t.match(key, { seq: (expectedLastSeq ?? 5) + 1, parentSeq: expected, attempt: 1 })
      await store.finishTurn(key, COMPLETED)
    }
    t.strictSame(
      (await allTurns(store, id)).map(({ parentSeq }) => parentSeq),
      [0, 1, 0, 2, 4, 1]
    )
    const listed = await store.listMarks(SESSION, id, { limit: 9, order: 'asc' })
    t.strictSame(new Set(listed.map(({ marks }) => marks.asked)), new Set(['asked']))
    t.match(await store.getConversation(SESSION, id), { title: 'Mine', model: 'm', lastSeq: 6 })
  })

  t.test('one that cannot begin there changes nothing, and says why', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const other = await createConversation(store)
    for (const _ of seqs(5)) await exchange(store, other.id)
    for (const _ of seqs(2)) await exchange(store, id)
    const state = async () => [await store.getConversation(SESSION, id), await allTurns(store, id)]
    const refused = async (changes: Partial<NewTurn>, reason: typeof BUSY) => {
      const before = await state()
      const turn = newTurn(id, { askedMark: 'asked', title: 'x', model: 'x', createdAt: 1, ...changes })
      await t.rejects(store.beginTurn(turn), reason, JSON.stringify(changes))
      t.strictSame(await state(), before)
    }
    for (const parentSeq of [3, 5, -1, 2_147_483_647]) {
      await refused({ parentSeq }, INVALID)
      await refused({ parentSeq, expectedLastSeq: 2 }, INVALID)
    }
    for (const expectedLastSeq of [0, 1, 3]) {
      await refused({ expectedLastSeq }, BUSY)
      await refused({ expectedLastSeq, parentSeq: 1 }, BUSY)
    }
    await refused({ expectedLastSeq: 2, parentSeq: 2, maxSeq: 2 }, FULL)
    await refused({ parentSeq: 1, maxSeq: 1 }, FULL)
    const running = await begin(store, id)
    for (const parentSeq of [null, 0, 3]) await refused({ expectedLastSeq: 3, parentSeq }, BUSY)
    t.match(
      await begin(store, id, { parentSeq: 1 }),
      { seq: 4 },
      'without an expectation it begins beside them'
    )
    await store.finishTurn(running, COMPLETED)
    await refused({ expectedLastSeq: 4 }, BUSY)
    t.strictSame(await store.findMarks(SESSION, { tips: [], asked: ['asked'], answer: null }), [])
  })

  t.test('a turn that runs elsewhere is not in the way', async (t) => {
    const store = await start(t)
    const [one, other] = [await createConversation(store), await createConversation(store)]
    await begin(store, other.id)
    t.match(await begin(store, one.id, { expectedLastSeq: 0, parentSeq: 0, askedMark: 'a' }), { seq: 1 })
  })

  t.test('a conversation that is not there is null, wherever the turn is placed', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const place of [
      { parentSeq: 9 },
      { expectedLastSeq: 9 },
      { parentSeq: 0, expectedLastSeq: 0, maxSeq: 0 }
    ])
      for (const changes of [{ sessionId: 'bob' }, { conversationId: newId('conv') }])
        t.equal(await store.beginTurn(newTurn(id, { ...place, ...changes, askedMark: 'a' })), null)
  })

  t.test('of those placed behind the same turn at once, one begins', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchange(store, id)
    const turn = () => newTurn(id, { expectedLastSeq: 1, parentSeq: 1, askedMark: 'asked' })
    const results = await Promise.allSettled(seqs(8).map(() => store.beginTurn(turn())))
    const refused = results.filter((result) => result.status === 'rejected')
    t.strictSame(
      refused.map(({ reason }) => reason.code),
      Array(7).fill('CONVERSATION_BUSY')
    )
    t.equal((await allTurns(store, id)).length, 2)
  })

  t.test('of one placed behind the newest and one that begins again at once, one begins', async (t) => {
    const store = await start(t)
    for (const round of seqs(10)) {
      const { id } = await createConversation(store)
      const retried = { requestHash: `h${round}`, retrySince: 0, expectedLastSeq: 1, createdAt: LATER }
      await exchange(store, id, { requestHash: retried.requestHash }, FAILED)
      const results = await Promise.allSettled([
        store.beginTurn(newTurn(id, retried)),
        store.beginTurn(newTurn(id, { expectedLastSeq: 1 })),
        store.beginTurn(newTurn(id, { expectedLastSeq: 1, parentSeq: 0 }))
      ])
      t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      const running = (await allTurns(store, id)).filter(({ status }) => status === 'in_progress')
      t.equal(running.length, 1)
    }
  })
}

export default placedTurns
