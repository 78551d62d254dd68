import type { AddedTurn } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  createConversation,
  exchange,
  newConversation,
  oneTurn,
  SESSION,
  seqs
} from './rows.ts'

function added(changes: Partial<AddedTurn> = {}): AddedTurn {
  return {
    id: newId('turn'),
    userText: 'Q',
    assistantText: 'A',
    detail: { a: [1] },
    createdAt: 7,
    ...changes
  }
}

const CONTENT = {
  kind: 'response',
  metadata: { b: '2' },
  userText: 'new',
  assistantText: null,
  detail: { n: 1 }
} as const

const addedTurns: ContractPart = (t, start) => {
  t.test('added turns are completed, and each follows the one before', async (t) => {
    const store = await start(t)
    const { id, title, model } = await createConversation(store, { title: 'Mine', model: 'm' })
    await exchange(store, id, { title: 'x' })
    const given = [
      added(),
      added({ userText: null, detail: null }),
      added({ assistantText: 'a\0b', createdAt: 9 })
    ]
    const made = await store.addTurns(SESSION, id, given, null)
    const kept = {
      kind: 'items',
      status: 'completed',
      attempt: 1,
      superseded: false,
      model: null,
      metadata: {}
    }
    const nothing = { finishReason: null, error: null, completionId: null }
    t.strictSame(
      made,
      given.map((turn, index) => ({
        ...turn,
        assistantText: index === 2 ? 'a\uFFFDb' : 'A',
        ...{ ...kept, ...nothing, conversationId: id, seq: index + 2, parentSeq: index + 1 }
      }))
    )
    t.strictSame((await allTurns(store, id)).slice(1), made)
    t.match(await store.getConversation(SESSION, id), { title, model, lastSeq: 4, activeAt: 9 })
    t.match(await begin(store, id), { seq: 5, parentSeq: 4 })
  })

  t.test('a conversation can be made with turns', async (t) => {
    const store = await start(t)
    const conversation = newConversation({ metadata: { a: '1' } })
    const given = [added(), added({ createdAt: 8 })]
    const made = await store.createConversation(conversation, given)
    t.match(made, { lastSeq: 2, activeAt: 8, createdAt: conversation.createdAt, title: null })
    t.strictSame(await store.getConversation(SESSION, conversation.id), made)
    t.match(await allTurns(store, conversation.id), [
      { id: given[0]?.id, seq: 1, parentSeq: 0 },
      { id: given[1]?.id, seq: 2, parentSeq: 1 }
    ])
  })

  t.test('no turns to add are none', async (t) => {
    const store = await start(t)
    const made = await createConversation(store)
    t.strictSame(await store.addTurns(SESSION, made.id, [], null), [])
    t.strictSame(await store.getConversation(SESSION, made.id), made)
  })

  t.test('turns added at once from many sides take numbers without a gap', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await Promise.all(seqs(10).map(() => store.addTurns(SESSION, id, [added(), added()], null)))
    const turns = await allTurns(store, id)
    t.strictSame(
      turns.map(({ seq, parentSeq }) => [seq, parentSeq]),
      seqs(20).map((seq) => [seq, seq - 1])
    )
  })

  t.test('a change replaces what an ended turn says, and nothing else', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const keys = [await exchange(store, id, { metadata: { a: '1' } }), await exchange(store, id)]
    const [before, other] = await allTurns(store, id)
    const seen: unknown[] = []
    const changed = await store.changeTurn(SESSION, keys[0] as never, (turn) => {
      seen.push(turn)
      return CONTENT
    })
    t.equal(changed, true)
    t.strictSame(seen.at(-1), before)
    t.strictSame(await allTurns(store, id), [{ ...before, ...CONTENT }, other])
  })

  t.test('a turn that is deleted leaves a gap', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const keys = [await exchange(store, id), await exchange(store, id)]
    for (const key of keys) t.equal(await store.changeTurn(SESSION, key, () => null), true)
    t.strictSame(await allTurns(store, id), [])
    t.equal((await store.getConversation(SESSION, id))?.lastSeq, 2)
    t.match(await begin(store, id), { seq: 3, parentSeq: 2 })
    for (const key of keys) t.equal(await store.changeTurn(SESSION, key, () => null), false, 'once')
  })

  t.test('a running turn is not changed, and one that is not there neither', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const key = await begin(store, id)
    let calls = 0
    const change = () => {
      calls += 1
      return CONTENT
    }
    await t.rejects(store.changeTurn(SESSION, key, change), { code: 'CONVERSATION_BUSY' })
    await store.finishTurn(key, COMPLETED)
    const before = await oneTurn(store, key)
    const none = [
      store.changeTurn('bob', key, change),
      store.changeTurn(SESSION, { ...key, seq: 2 }, change),
      store.changeTurn(SESSION, { ...key, id: newId('turn') }, change),
      store.changeTurn(SESSION, { ...key, conversationId: newId('conv') }, change)
    ]
    t.strictSame(await Promise.all(none), [false, false, false, false])
    t.strictSame(await oneTurn(store, key), before)
    t.equal(calls, 0)
  })

  t.test('changes at once are all made', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const key = await exchange(store, id, { userText: '' })
    const change = () =>
      store.changeTurn(SESSION, key, (turn) => ({ ...turn, userText: `${turn.userText}x` }))
    await Promise.all(seqs(8).map(change))
    t.equal((await oneTurn(store, key))?.userText, 'x'.repeat(8))
  })
}

export default addedTurns
