import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import { allTurns, begin, COMPLETED, createConversation, newConversation, newTurn, SESSION } from './rows.ts'

const conversations: ContractPart = (t, start) => {
  t.test('a new conversation is as it was given, unpinned and empty', async (t) => {
    const store = await start(t)
    const given = newConversation({ title: 'A title', model: 'a-model', metadata: { topic: 'tests' } })
    const expected = { ...given, pinned: false, lastSeq: 0, activeAt: given.createdAt }
    t.strictSame(await store.createConversation(given), expected)
    t.strictSame(await store.getConversation(SESSION, given.id), expected)
  })

  t.test('an update replaces what it names and leaves the rest', async (t) => {
    const store = await start(t)
    const metadata = { a: '1', b: '2' }
    const conversation = await createConversation(store, { title: 'Old', model: 'a-model', metadata })
    const steps = [
      { title: 'New' },
      { metadata: { c: '3' } },
      { pinned: true },
      { title: null },
      { title: '', metadata: {}, pinned: false },
      {}
    ]
    let expected = conversation
    for (const changes of steps) {
      expected = { ...expected, ...changes }
      t.strictSame(await store.updateConversation(SESSION, conversation.id, changes), expected)
      t.strictSame(await store.getConversation(SESSION, conversation.id), expected)
    }
  })

  t.test('an update of one conversation leaves the others alone', async (t) => {
    const store = await start(t)
    const [one, other] = [await createConversation(store), await createConversation(store)]
    await store.updateConversation(SESSION, one.id, { title: 'New', metadata: { a: '1' }, pinned: true })
    t.strictSame(await store.getConversation(SESSION, other.id), other)
  })

  t.test(
    'a turn gives its conversation a seq, a time, a model, and a title where there is none',
    async (t) => {
      const store = await start(t)
      const { id, createdAt } = await createConversation(store)
      const steps = [
        { given: { title: null, model: null }, expected: { title: null, model: null } },
        { given: { title: 'First', model: 'small' }, expected: { title: 'First', model: 'small' } },
        { given: { title: 'Second', model: 'large' }, expected: { title: 'First', model: 'large' } }
      ]
      for (const [index, { given, expected }] of steps.entries()) {
        const activeAt = createdAt + 1000 * index
        await begin(store, id, { ...given, createdAt: activeAt })
        t.match(await store.getConversation(SESSION, id), {
          ...expected,
          lastSeq: index + 1,
          createdAt,
          activeAt
        })
      }
    }
  )

  t.test('a first turn can bring its conversation with it', async (t) => {
    const store = await start(t)
    const id = newId('conv')
    const turn = newTurn(id, { create: true, title: 'A title', model: 'a-model', metadata: { a: '1' } })
    t.match(await store.beginTurn(turn), { outcome: 'begun', turn: { seq: 1, parentSeq: 0 } })
    t.strictSame(await store.getConversation(SESSION, id), {
      id,
      sessionId: SESSION,
      title: 'A title',
      model: 'a-model',
      metadata: { a: '1' },
      pinned: false,
      lastSeq: 1,
      createdAt: turn.createdAt,
      activeAt: turn.createdAt
    })
    t.equal((await begin(store, id)).seq, 2)
  })

  t.test('a deleted conversation is gone with its turns', async (t) => {
    const store = await start(t)
    const [gone, kept] = [await createConversation(store), await createConversation(store)]
    for (const { id } of [gone, kept]) await store.finishTurn(await begin(store, id), COMPLETED)
    await begin(store, gone.id, { owner: 'elsewhere' })
    t.equal(await store.deleteConversation(SESSION, gone.id), true)
    t.equal(await store.deleteConversation(SESSION, gone.id), false)
    t.equal(await store.getConversation(SESSION, gone.id), null)
    t.equal(await store.listTurns(SESSION, gone.id, { limit: 10, order: 'asc' }), null)
    t.equal(await store.beginTurn(newTurn(gone.id)), null)
    t.equal(await store.recoverTurns('elsewhere'), 0)
    t.equal((await allTurns(store, kept.id)).length, 1)
  })

  t.test('a conversation made anew under a deleted id has none of the old turns', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await begin(store, id)
    await store.deleteConversation(SESSION, id)
    await createConversation(store, { id })
    t.strictSame(await allTurns(store, id), [])
    t.equal((await begin(store, id)).seq, 1)
  })
}

export default conversations
