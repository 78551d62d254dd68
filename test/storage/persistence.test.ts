import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { JsonObject, Turn } from '../../storage/contract.ts'
import { sqliteStore } from '../../storage/drivers/sqlite.ts'
import { newId } from '../../storage/ids.ts'
import { type Answer, createPersistence, type Question, type TurnRef } from '../../storage/persistence.ts'
import { tempFolder } from '../helper/app.ts'
import { lockFile } from '../helper/foreign-lock.ts'
import { allTurns, createConversation, exchange, oneTurn, SESSION } from './contract/rows.ts'

const QUESTION: Question = {
  sessionId: SESSION,
  conversationId: null,
  kind: 'chat',
  parentSeq: null,
  expectedLastSeq: null,
  request: { requestHash: null, idempotencyKey: null, keysSince: 0, retrySince: null },
  model: 'a-model',
  metadata: {},
  userText: 'A question',
  input: null
}
const ANSWER: Answer = {
  text: 'An answer',
  finishReason: 'stop',
  completionId: 'chatcmpl-1',
  model: null,
  output: null
}

async function start(t: Test, file = path.join(tempFolder(t), 'store.db')) {
  const store = sqliteStore(file)
  const open = (owner: string, finalWriteTimeoutMs = 30_000) =>
    createPersistence(store, { owner, finalWriteTimeoutMs, maxTurns: null, maxConversations: null })
  const persistence = open('here')
  t.teardown(() => persistence.cleanup())
  await persistence.initialize()

  async function ask(question: Partial<Question> = {}, by = persistence): Promise<TurnRef> {
    const recorded = await by.recordUserMessage({ ...QUESTION, ...question })
    if (recorded?.outcome !== 'begun') throw new Error('the turn has not begun')
    return recorded.turn
  }
  return { file, store, persistence, open, ask }
}

t.test('a turn is two writes: the question, and the whole answer', async (t) => {
  const { store, persistence, ask } = await start(t)
  const before = { ...store.counters }
  const askedAt = Date.now()
  const turn = await ask()
  t.match(turn, { id: /^turn_/, conversationId: /^conv_/, seq: 1, parentSeq: 0, input: null })
  t.match(await oneTurn(store, turn), {
    id: turn.id,
    status: 'in_progress',
    userText: 'A question',
    assistantText: null
  })
  t.strictSame({ ...store.counters }, { transactions: before.transactions + 1, writes: before.writes + 1 })
  t.equal(await persistence.recordAssistantFinal(turn, ANSWER), true)
  t.strictSame({ ...store.counters }, { transactions: before.transactions + 2, writes: before.writes + 2 })
  const kept = await oneTurn(store, turn)
  t.match(kept, {
    status: 'completed',
    error: null,
    assistantText: 'An answer',
    finishReason: 'stop',
    completionId: 'chatcmpl-1',
    detail: null
  })
  t.ok(kept && kept.createdAt >= askedAt && kept.createdAt <= Date.now())
})

t.test('a turn that does not complete keeps its reason and the answer as far as it came', async (t) => {
  const { store, persistence, ask } = await start(t)
  for (const ending of [
    { status: 'failed', error: 'upstream_error' },
    { status: 'incomplete', error: 'client_disconnect' }
  ] as const) {
    const turn = await ask()
    t.equal(await persistence.markError(turn, ending, { ...ANSWER, text: 'An an', finishReason: null }), true)
    t.match(await oneTurn(store, turn), { ...ending, assistantText: 'An an', finishReason: null })
  }
})

t.test('only the first end counts, and none after the conversation was deleted', async (t) => {
  const { store, persistence, ask } = await start(t)
  const turn = await ask()
  const cutOff = { status: 'incomplete', error: 'server_shutdown' } as const
  t.equal(await persistence.markError(turn, cutOff, ANSWER), true)
  t.equal(await persistence.recordAssistantFinal(turn, ANSWER), false)
  t.match(await oneTurn(store, turn), cutOff)
  const gone = await ask()
  await store.deleteConversation(SESSION, gone.conversationId)
  t.equal(await persistence.recordAssistantFinal(gone, ANSWER), false)
  t.equal(await store.getConversation(SESSION, gone.conversationId), null)
})

t.test('a question goes into a new conversation, or into the one it names', async (t) => {
  const { store, persistence, ask } = await start(t)
  const [first, second] = [await ask(), await ask()]
  t.not(first.conversationId, second.conversationId)
  t.match(await store.getConversation(SESSION, first.conversationId), {
    title: 'A question',
    model: 'a-model'
  })
  const { conversationId } = first
  t.match(await ask({ conversationId }), { conversationId, seq: 2, parentSeq: 1 })
  t.match(await ask({ conversationId, parentSeq: 1 }), { conversationId, seq: 3, parentSeq: 1 })
  const invalid = persistence.recordUserMessage({ ...QUESTION, conversationId, parentSeq: 9 })
  await t.rejects(invalid, { code: 'PARENT_INVALID' })
  for (const foreign of [{ conversationId: newId('conv') }, { conversationId, sessionId: 'bob' }]) {
    t.equal(await persistence.recordUserMessage({ ...QUESTION, ...foreign }), null)
  }
  t.equal((await allTurns(store, conversationId)).length, 3)
})

t.test('detail holds what text cannot say of the question and of the answer', async (t) => {
  const { store, persistence, ask } = await start(t)
  const input: JsonObject = { input: [{ role: 'user', content: [{ type: 'image_url' }] }] }
  const output: JsonObject = { output: { tool_calls: [] }, usage: { total_tokens: 3 } }
  const cases = [
    { input: null, output: null, expected: null },
    { input, output: null, expected: input },
    { input: null, output, expected: output },
    { input, output, expected: { ...input, ...output } }
  ]
  for (const { input, output, expected } of cases) {
    const ends = [
      (turn: TurnRef) => persistence.recordAssistantFinal(turn, { ...ANSWER, output }),
      (turn: TurnRef) =>
        persistence.markError(turn, { status: 'failed', error: 'upstream_error' }, { ...ANSWER, output })
    ]
    for (const end of ends) {
      const turn = await ask({ input })
      t.strictSame((await oneTurn(store, turn))?.detail, input)
      await end(turn)
      t.strictSame((await oneTurn(store, turn))?.detail, expected)
    }
  }
})

t.test('a new conversation is titled with one line of at most 80 characters of the question', async (t) => {
  const { store, ask } = await start(t)
  const titles: [userText: string | null, title: string | null][] = [
    ['Hello', 'Hello'],
    ['  two\n\n\tlines \r\n', 'two lines'],
    ['x'.repeat(80), 'x'.repeat(80)],
    ['x'.repeat(81), `${'x'.repeat(79)}…`],
    ['😀'.repeat(80), '😀'.repeat(80)],
    ['😀'.repeat(81), `${'😀'.repeat(79)}…`],
    ['x'.repeat(1_000_000), `${'x'.repeat(79)}…`],
    [' \n ', null],
    ['', null],
    [null, null]
  ]
  for (const [userText, title] of titles) {
    const { conversationId } = await ask({ userText })
    t.equal((await store.getConversation(SESSION, conversationId))?.title, title)
  }
})

t.test('the first question with words titles a conversation that has no title', async (t) => {
  const { store, ask } = await start(t)
  const { id: conversationId } = await createConversation(store)
  for (const userText of [null, 'First', 'Second']) await ask({ conversationId, userText })
  t.equal((await store.getConversation(SESSION, conversationId))?.title, 'First')
})

t.test('a start ends the turns that this process left running, and nobody else', async (t) => {
  const { file, store, persistence, open, ask } = await start(t)
  const other = open('there')
  const running = [await ask(), await ask(), await ask({}, other)]
  const ended = await exchange(store, running[0]?.conversationId ?? '', { owner: 'here' })
  await persistence.cleanup()

  const again = await start(t, file)
  const turns = await Promise.all([...running, ended].map((key) => oneTurn(again.store, key)))
  t.strictSame(
    turns.map((turn) => [turn?.status, turn?.error]),
    [
      ['incomplete', 'server_lost'],
      ['incomplete', 'server_lost'],
      ['in_progress', null],
      ['completed', null]
    ]
  )
  const owners = (await again.store.beat('watcher')).map(({ owner }) => owner)
  t.ok(owners.includes('here'), 'and it shows that it lives')
})

t.test(
  'an answer outlasts a store that is unavailable, whether or not its caller waits so long',
  async (t) => {
    const { file, store, persistence, open, ask } = await start(t)
    const impatient = open('here', 100)
    const unavailable = { name: 'StoreError', code: 'STORE_UNAVAILABLE' }
    const [awaited, unawaited] = [await ask(), await ask()]
    const release = await lockFile(t, file)
    const waiting = persistence.recordAssistantFinal(awaited, ANSWER)
    await t.rejects(impatient.recordAssistantFinal(unawaited, ANSWER), unavailable)
    await t.rejects(store.beat('here'), unavailable, 'the store has given up, on the earlier writes too')
    for (const turn of [awaited, unawaited]) t.equal((await oneTurn(store, turn))?.status, 'in_progress')
    await release()
    t.equal(await waiting, true)
    const expected: Partial<Turn> = { status: 'completed', assistantText: 'An answer' }
    t.match(await oneTurn(store, awaited), expected)
    let turn = await oneTurn(store, unawaited)
    for (; turn?.status === 'in_progress'; turn = await oneTurn(store, unawaited)) await wait(5)
    t.match(turn, expected)
  }
)

t.test('once the store is closed, no answer is waited for', async (t) => {
  const { persistence, ask } = await start(t)
  const turn = await ask()
  await persistence.cleanup()
  await t.rejects(persistence.recordAssistantFinal(turn, ANSWER), { code: 'STORE_UNAVAILABLE' })
})

t.test('cleanup waits for the writes under way', async (t) => {
  const { file, persistence, ask } = await start(t)
  const turn = await ask()
  const writing = persistence.recordAssistantFinal(turn, ANSWER)
  await persistence.cleanup()
  t.equal(await writing, true)
  const { store } = await start(t, file)
  t.match(await oneTurn(store, turn), { status: 'completed', assistantText: 'An answer' })
})
