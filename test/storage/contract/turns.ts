import type { ContractPart } from '../contract.ts'
import { allTurns, begin, CUT_OFF, createConversation, newTurn, oneTurn, SESSION, seqs } from './rows.ts'

const turns: ContractPart = (t, start) => {
  t.test('a turn begins as in_progress, with the question and nothing else', async (t) => {
    const store = await start(t)
    const { id: conversationId } = await createConversation(store)
    const given = newTurn(conversationId, {
      kind: 'response',
      model: 'asked-for',
      metadata: { a: '1' },
      userText: 'A question',
      detail: { input: ['x'] }
    })
    const turn = { id: given.id, conversationId, seq: 1, parentSeq: 0, attempt: 1 }
    t.strictSame(await store.beginTurn(given), { outcome: 'begun', turn })
    t.strictSame(await allTurns(store, conversationId), [
      {
        ...turn,
        kind: 'response',
        superseded: false,
        model: 'asked-for',
        metadata: { a: '1' },
        userText: 'A question',
        assistantText: null,
        status: 'in_progress',
        finishReason: null,
        error: null,
        completionId: null,
        detail: { input: ['x'] },
        createdAt: given.createdAt
      }
    ])
  })

  t.test('an ending adds the answer and leaves the question', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const key = await begin(store, id, { userText: 'A question', detail: { input: 1 } })
    const [begun] = await allTurns(store, id)
    const ending = { ...CUT_OFF, assistantText: 'So f', detail: { input: 1, output: 2 } }
    t.equal(await store.finishTurn(key, ending), true)
    t.strictSame(await allTurns(store, id), [{ ...begun, ...ending }])
  })

  t.test('the model that answered replaces the one asked for, where it is known', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const [model, kept] of [
      [null, 'asked-for'],
      ['answered', 'answered']
    ] as const) {
      const key = await begin(store, id, { model: 'asked-for' })
      await store.finishTurn(key, { ...CUT_OFF, model })
      t.equal((await oneTurn(store, key))?.model, kept)
    }
    t.equal((await store.getConversation(SESSION, id))?.model, 'asked-for', 'the conversation has its own')
  })

  t.test('seq counts 1, 2, 3 in each conversation on its own', async (t) => {
    const store = await start(t)
    const [one, other] = [await createConversation(store), await createConversation(store)]
    for (const seq of seqs(5)) {
      for (const { id } of [one, other]) {
        const begun = await begin(store, id)
        t.match(begun, { seq, parentSeq: seq - 1 })
      }
    }
    t.strictSame(
      (await allTurns(store, one.id)).map(({ seq }) => seq),
      seqs(5)
    )
  })

  t.test('two turns may have the same completion id', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of seqs(2)) await store.finishTurn(await begin(store, id), CUT_OFF)
    t.match(await allTurns(store, id), [{ completionId: 'chatcmpl-1' }, { completionId: 'chatcmpl-1' }])
  })
}

export default turns
