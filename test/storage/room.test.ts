import t, { type Test } from 'tap'
import { createPersistence, type Question } from '../../storage/persistence.ts'
import { assertRoom, hasRoom } from '../../storage/room.ts'
import { openTestStore, sqliteUrl } from '../helper/transfer.ts'
import { createConversation, SESSION } from './contract/rows.ts'

const FULL = { name: 'StoreError', code: 'SESSION_FULL' }
const QUESTION: Question = {
  sessionId: SESSION,
  conversationId: null,
  kind: 'chat',
  parentSeq: null,
  expectedLastSeq: null,
  request: { requestHash: null, idempotencyKey: null, keysSince: 0, retrySince: null },
  model: 'm',
  metadata: {},
  userText: 'Hi',
  input: null
}
const ANSWER = { text: 'Hello', finishReason: 'stop', completionId: null, model: null, output: null }

async function start(t: Test, limits: { maxTurns: number | null; maxConversations: number | null }) {
  const store = await openTestStore(t, sqliteUrl(t))
  const persistence = createPersistence(store, { owner: 'here', finalWriteTimeoutMs: 10_000, ...limits })
  const ask = async (question: Partial<Question> = {}) => {
    const recorded = await persistence.recordUserMessage({ ...QUESTION, ...question })
    return recorded?.outcome === 'begun' ? recorded.turn : null
  }
  return { store, persistence, ask }
}

t.test('a session has room below its limit, for each session on its own', async (t) => {
  const store = await openTestStore(t, sqliteUrl(t))
  for (const sessionId of [SESSION, SESSION, 'bob']) await createConversation(store, { sessionId })
  const cases: [session: string, max: number | null, room: boolean][] = [
    [SESSION, null, true],
    [SESSION, 3, true],
    [SESSION, 2, false],
    [SESSION, 1, false],
    ['bob', 2, true],
    ['nobody', 1, true]
  ]
  for (const [session, maxConversations, room] of cases) {
    const limits = { maxTurns: null, maxConversations }
    t.equal(await hasRoom(store, session, limits), room, `${session} of ${maxConversations}`)
    if (room) await t.resolves(assertRoom(store, session, 99, limits))
    else await t.rejects(assertRoom(store, session, 0, limits), FULL)
  }
  const limits = { maxTurns: 2, maxConversations: null }
  await t.resolves(assertRoom(store, SESSION, 2, limits))
  await t.rejects(assertRoom(store, SESSION, 3, limits), { code: 'CONVERSATION_FULL' })
})

t.test('a new conversation needs room, one that is there does not', async (t) => {
  const { store, ask } = await start(t, { maxTurns: null, maxConversations: 2 })
  const [one, other] = [await ask(), await ask()]
  await t.rejects(ask(), FULL)
  t.equal(await store.countConversations({ sessionId: SESSION }, 9), 2, 'nothing was made')
  t.match(await ask({ conversationId: one?.conversationId ?? '' }), { seq: 2 })
  t.match(await ask({ sessionId: 'bob' }), { seq: 1 })
  await store.deleteConversation(SESSION, other?.conversationId ?? '')
  t.match(await ask(), { seq: 1 })
})

t.test('a request that is made again is found in a session that is full', async (t) => {
  const { persistence, ask } = await start(t, { maxTurns: null, maxConversations: 2 })
  const keyed = { ...QUESTION.request, requestHash: 'h', idempotencyKey: 'k' }
  const retried = { ...QUESTION.request, requestHash: 'r', retrySince: 0 }
  const [turn, lost] = [await ask({ request: keyed }), await ask({ request: retried })]
  if (!turn || !lost) throw new Error('both have begun')
  await persistence.recordAssistantFinal(turn, ANSWER)
  await persistence.markError(lost, { status: 'failed', error: 'upstream_error' }, ANSWER)
  const known = { outcome: 'known', sameRequest: true, turn: { id: turn.id, status: 'completed' } }
  t.match(await persistence.recordUserMessage({ ...QUESTION, request: keyed }), known)
  t.match(await ask({ request: retried }), { id: lost.id, attempt: 2 })
  await t.rejects(ask({ request: { ...keyed, idempotencyKey: 'another' } }), FULL)
})

t.test('a conversation takes turns up to the limit', async (t) => {
  const { ask } = await start(t, { maxTurns: 2, maxConversations: null })
  const conversationId = (await ask())?.conversationId ?? ''
  t.match(await ask({ conversationId }), { seq: 2 })
  await t.rejects(ask({ conversationId }), { name: 'StoreError', code: 'CONVERSATION_FULL' })
  t.match(await ask(), { seq: 1 }, 'a new one')
})
