import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import { allTurns, begin, createConversation, exchange, FAILED, newTurn, SESSION, seqs } from './rows.ts'

const FULL = { name: 'StoreError', code: 'CONVERSATION_FULL' }
const added = () => ({ id: newId('turn'), userText: 'Q', assistantText: null, detail: null, createdAt: 5 })

const highestSeq: ContractPart = (t, start) => {
  t.test('a turn begins up to the highest seq, and one above it changes nothing', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const seq of [1, 2]) t.equal((await begin(store, id, { maxSeq: 2 })).seq, seq)
    const before = [await store.getConversation(SESSION, id), await allTurns(store, id)]
    for (const expectedLastSeq of [null, 2]) {
      const turn = newTurn(id, { maxSeq: 2, expectedLastSeq, title: 'x', model: 'x', createdAt: 9 })
      await t.rejects(store.beginTurn(turn), FULL)
    }
    await t.rejects(store.beginTurn(newTurn(id, { maxSeq: 1 })), FULL, 'a limit that was lowered since')
    t.strictSame([await store.getConversation(SESSION, id), await allTurns(store, id)], before)
    t.equal((await begin(store, id, { maxSeq: 3 })).seq, 3)
    t.equal((await begin(store, id)).seq, 4, 'no limit')
  })

  t.test('a first turn brings its conversation under a limit too', async (t) => {
    const store = await start(t)
    const [one, none] = [newId('conv'), newId('conv')]
    t.match(await store.beginTurn(newTurn(one, { create: true, maxSeq: 1 })), { turn: { seq: 1 } })
    await t.rejects(store.beginTurn(newTurn(none, { create: true, maxSeq: 0 })), FULL)
    t.equal(await store.getConversation(SESSION, none), null)
  })

  t.test('a turn that begins anew takes no number and is not refused', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const request = { requestHash: 'h', retrySince: 0, maxSeq: 1 }
    await exchange(store, id, request, FAILED)
    t.match(await begin(store, id, request), { seq: 1, attempt: 2 })
    const keyed = { requestHash: 'k', idempotencyKey: 'key' }
    await exchange(store, id, keyed)
    t.match(await store.beginTurn(newTurn(id, { ...keyed, maxSeq: 1 })), {
      outcome: 'known',
      turn: { seq: 2 }
    })
  })

  t.test('a conversation that is not there is not full', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const changes of [{ sessionId: 'bob' }, { conversationId: newId('conv') }])
      t.equal(await store.beginTurn(newTurn(id, { maxSeq: 0, ...changes })), null)
    t.equal(await store.addTurns('bob', id, [added()], 0), null)
  })

  t.test('added turns fit all, or none is added', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    t.equal((await store.addTurns(SESSION, id, [added(), added()], 3))?.length, 2)
    const before = [await store.getConversation(SESSION, id), await allTurns(store, id)]
    await t.rejects(store.addTurns(SESSION, id, [added(), added()], 3), FULL)
    await t.rejects(store.addTurns(SESSION, id, [added()], 1), FULL)
    t.strictSame(await store.addTurns(SESSION, id, [], 1), [])
    t.strictSame([await store.getConversation(SESSION, id), await allTurns(store, id)], before)
    t.match(await store.addTurns(SESSION, id, [added()], 3), [{ seq: 3 }])
  })

  t.test('of turns that begin at once, as many do as there is room for', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const results = await Promise.allSettled(seqs(20).map(() => store.beginTurn(newTurn(id, { maxSeq: 7 }))))
    const refused = results.filter((result) => result.status === 'rejected')
    t.strictSame(
      refused.map(({ reason }) => reason.code),
      Array(13).fill('CONVERSATION_FULL')
    )
    t.strictSame(
      (await allTurns(store, id)).map(({ seq }) => seq),
      seqs(7)
    )
  })
}

export default highestSeq
