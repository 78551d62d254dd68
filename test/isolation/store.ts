import type { Test } from 'tap'
import type { AddedTurn, Store, TurnKey } from '../../storage/contract.ts'
import { newId } from '../../storage/ids.ts'
import { openStore } from '../../storage/open-store.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { createConversation, exchange, FAILED, newTurn, SESSION } from '../storage/contract/rows.ts'
import { indexed, snapshot } from './snapshot.ts'

/** Asks in its own name for what belongs to `SESSION`. */
const BOB = 'bob'
const ALL = { limit: 100, order: 'asc' } as const
const LONG_AFTER = 9_000_000_000_000
const KEY = 'a-key'
const FAILED_HASH = 'failed'
const THREAD = 'thread'
const MARKS = { asked: 'asked', tip: 'tip', answer: 'answer' }
const UNSOUGHT = { tips: [], asked: [], answer: null }

/** What a session may be asked for. */
interface Place {
  id: string
  turn: Pick<TurnKey, 'id' | 'conversationId' | 'seq'>
  completionId: string
  word: string
  metadata: Record<string, string>
  model: string
  key: string
  hash: string
}

const nothing = { data: [], hasMore: false }
const added = (): AddedTurn => ({
  id: newId('turn'),
  userText: 'x',
  assistantText: null,
  detail: null,
  createdAt: 1
})

/** A request of BOB's for a new conversation: what was begun, and where. */
async function beginAsBob(store: Store, more: Parameters<typeof newTurn>[1]) {
  const own = newId('conv')
  const begun = await store.beginTurn(newTurn(own, { sessionId: BOB, create: true, ...more }))
  const isOwn = begun?.outcome === 'begun' && begun.turn.conversationId === own && begun.turn.attempt === 1
  const { data } = await store.listConversations(BOB, ALL)
  await store.deleteConversation(BOB, own)
  return [isOwn, data.map(({ id }) => id === own)]
}

/** Every method that takes a session: what it gives BOB who asks for the place. */
const CALLS: Record<string, [call: (store: Store, place: Place) => Promise<unknown>, gives: unknown]> = {
  getConversation: [(store, { id }) => store.getConversation(BOB, id), null],
  listConversations: [(store) => store.listConversations(BOB, ALL), nothing],
  'listConversations by metadata': [
    (store, { metadata }) => store.listConversations(BOB, { ...ALL, metadata }),
    nothing
  ],
  'listConversations by words': [
    (store, { word }) => store.listConversations(BOB, { ...ALL, words: [word] }),
    nothing
  ],
  'listConversations before': [
    (store, { id }) => store.listConversations(BOB, { ...ALL, before: `${id}x` }),
    nothing
  ],
  'updateConversation with a title': [
    (store, { id }) => store.updateConversation(BOB, id, { title: 'Stolen' }),
    null
  ],
  'updateConversation with nothing': [(store, { id }) => store.updateConversation(BOB, id, {}), null],
  deleteConversation: [(store, { id }) => store.deleteConversation(BOB, id), false],
  countConversations: [(store) => store.countConversations({ sessionId: BOB }, 9), 0],
  'countConversations by metadata': [
    (store, { metadata }) => store.countConversations({ sessionId: BOB, metadata }, 9),
    0
  ],
  deleteConversations: [
    (store) => store.deleteConversations({ sessionId: BOB }, 9),
    { conversations: 0, turns: 0 }
  ],
  'deleteConversations by metadata': [
    (store, { metadata }) => store.deleteConversations({ sessionId: BOB, metadata }, 9),
    { conversations: 0, turns: 0 }
  ],
  'deleteConversations by age': [
    (store) => store.deleteConversations({ sessionId: BOB, expiredBefore: LONG_AFTER }, 9),
    { conversations: 0, turns: 0 }
  ],
  beginTurn: [(store, { id }) => store.beginTurn(newTurn(id, { sessionId: BOB, title: 'x' })), null],
  'beginTurn with a key': [
    (store, { key }) => beginAsBob(store, { idempotencyKey: key, requestHash: 'any' }),
    [true, [true]]
  ],
  'beginTurn with a key, which is too old': [
    (store, { key }) => beginAsBob(store, { idempotencyKey: key, requestHash: 'any', keysSince: LONG_AFTER }),
    [true, [true]]
  ],
  'beginTurn of a request that failed': [
    (store, { hash }) => beginAsBob(store, { requestHash: hash, retrySince: 0 }),
    [true, [true]]
  ],
  'beginTurn in a conversation that has a name elsewhere': [
    (store) => beginAsBob(store, { externalKey: THREAD }),
    [true, [true]]
  ],
  addTurns: [(store, { id }) => store.addTurns(BOB, id, [added()], null), null],
  changeTurn: [(store, { turn }) => store.changeTurn(BOB, turn, (now) => ({ ...now, userText: 'x' })), false],
  'changeTurn to delete it': [(store, { turn }) => store.changeTurn(BOB, turn, () => null), false],
  'findTurn by id': [(store, { turn }) => store.findTurn(BOB, { id: turn.id }), null],
  'findTurn by completion id': [
    (store, { completionId }) => store.findTurn(BOB, { completionId, kind: 'chat' }),
    null
  ],
  listSessionTurns: [(store) => store.listSessionTurns(BOB, { ...ALL, kind: 'chat' }), nothing],
  'listSessionTurns by model': [
    (store, { model }) => store.listSessionTurns(BOB, { ...ALL, kind: 'chat', model }),
    nothing
  ],
  'listSessionTurns by metadata': [
    (store, { metadata }) => store.listSessionTurns(BOB, { ...ALL, kind: 'chat', metadata }),
    nothing
  ],
  countTurns: [(store) => store.countTurns(BOB, 0), []],
  listTurns: [(store, { id }) => store.listTurns(BOB, id, ALL), null],
  'listTurns after the last': [(store, { id }) => store.listTurns(BOB, id, { ...ALL, afterSeq: 99 }), null],
  'findMarks of the request': [(store) => store.findMarks(BOB, { ...UNSOUGHT, asked: [MARKS.asked] }), []],
  'findMarks of the answer': [(store) => store.findMarks(BOB, { ...UNSOUGHT, answer: MARKS.answer }), []],
  'findMarks of both': [(store) => store.findMarks(BOB, { ...UNSOUGHT, tips: [MARKS.tip] }), []],
  'findMarks in the conversation': [
    (store, { id }) =>
      store.findMarks(BOB, {
        tips: [MARKS.tip],
        asked: [MARKS.asked],
        answer: MARKS.answer,
        conversationId: id
      }),
    []
  ],
  listMarks: [(store, { id }) => store.listMarks(BOB, id, ALL), []],
  'listMarks from the end': [
    (store, { id }) => store.listMarks(BOB, id, { limit: 9, order: 'desc', beforeSeq: 99 }),
    []
  ],
  findExternal: [(store) => store.findExternal(BOB, THREAD), null]
}

/** The same, asked of the store: what the routes never get to ask is held off here too. */
export async function storeIsolation(t: Test, driver: string): Promise<void> {
  const store = await openStore((await DRIVERS[driver]?.(t)) ?? '', { report: (message) => t.fail(message) })
  t.teardown(() => store.close())
  await store.initialize()
  const real = await makePlace(store)
  const named = newId('conv')
  await exchange(store, named, { create: true, externalKey: THREAD }, { ...FAILED, completionId: null })
  const deleted = { ...(await makePlace(store)), key: 'no-key', hash: 'none', completionId: 'chatcmpl-none' }
  await store.deleteConversation(SESSION, deleted.id)
  const unknown = {
    ...deleted,
    id: newId('conv'),
    turn: { id: newId('turn'), conversationId: newId('conv'), seq: 1 }
  }
  const state = async () => [
    await snapshot(store),
    await indexed(store, SESSION, [real.word]),
    await keyIsKnown(store),
    await store.findExternal(SESSION, THREAD)
  ]

  const before = await state()
  t.strictSame(before.slice(2), [[real.turn.id, true], named], 'the keys are known to their session')
  for (const [method, [call, gives]] of Object.entries(CALLS)) {
    for (const [kind, place] of Object.entries({ foreign: real, unknown, deleted }))
      t.strictSame(await call(store, place), gives, `${method}: ${kind}`)
    t.strictSame(await state(), before, `${method}: nothing has changed`)
  }

  t.test('whether an upstream id is the newest does not depend on what others have', async (t) => {
    const { id } = await createConversation(store, { sessionId: BOB })
    await exchange(store, id, { sessionId: BOB }, { completionId: real.completionId })
    const seen = await store.listSessionTurns(SESSION, { ...ALL, kind: 'chat' })
    t.strictSame(
      seen.data.map((turn) => turn.newestOfItsId),
      [true]
    )
  })

  t.test('a conversation that is imported again keeps the keys of its session', async (t) => {
    const conversation = await store.getConversation(SESSION, real.id)
    if (conversation) await store.importConversation(conversation)
    t.strictSame(await keyIsKnown(store), [real.turn.id, true])
  })

  t.test(
    'a conversation that is imported for another session loses the name that it has elsewhere',
    async (t) => {
      const conversation = await store.getConversation(SESSION, named)
      if (conversation) await store.importConversation({ ...conversation, sessionId: BOB })
      for (const session of [SESSION, BOB]) t.equal(await store.findExternal(session, THREAD), null)
    }
  )

  t.test('of two keys, the one that is asked for is found and removed', async (t) => {
    const keys = ['a', 'b'].map((letter) => ({
      id: letter.repeat(16),
      sessionId: letter,
      name: null,
      hash: letter.repeat(64),
      createdAt: 1
    }))
    for (const key of keys) await store.keys.add(key)
    for (const key of keys) t.strictSame(await store.keys.find(key.id), key)
    t.equal(await store.keys.find('c'.repeat(16)), null)
    t.equal(await store.keys.remove('c'.repeat(16)), false)
    t.strictSame(await store.keys.list(), keys)
    t.equal(await store.keys.remove('b'.repeat(16)), true)
    t.strictSame(await store.keys.list(), keys.slice(0, 1))
  })
}

/** A conversation of `SESSION` with a turn that completed and one that failed. */
async function makePlace(store: Store): Promise<Place> {
  const metadata = { owner: 'alice' }
  const { id } = await createConversation(store, { title: 'Secretword', metadata })
  const asked = { requestHash: 'completed', idempotencyKey: KEY, model: 'a-model', metadata }
  const [keyed, hash] = (await store.findTurn(SESSION, { completionId: 'chatcmpl-1', kind: 'chat' }))
    ? [{ ...asked, idempotencyKey: null }, 'other']
    : [asked, FAILED_HASH]
  const marked = { tipMark: MARKS.tip, answerMark: MARKS.answer }
  const turn = await exchange(store, id, { ...keyed, askedMark: MARKS.asked }, marked)
  await exchange(store, id, { requestHash: hash }, { ...FAILED, completionId: null })
  return {
    id,
    turn,
    completionId: 'chatcmpl-1',
    word: 'secretword',
    metadata,
    model: 'a-model',
    key: KEY,
    hash
  }
}

/** Whether the session that has used the key is told of its turn: its id, and that it is the same request. */
async function keyIsKnown(store: Store): Promise<unknown> {
  const again = newTurn(newId('conv'), { create: true, idempotencyKey: KEY, requestHash: 'completed' })
  const begun = await store.beginTurn(again)
  return begun?.outcome === 'known' ? [begun.turn.id, begun.sameRequest] : begun?.outcome
}
