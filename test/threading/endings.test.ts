import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { ask, assistant, chatOf, startTalk as start, user } from '../helper/talk.ts'
import { completion, delta, sendJson, startSse } from '../helper/upstream.ts'

/** Long enough not to be everybody's. */
const QUESTION = 'What came of the first of them?'

t.test('an answer that was stopped is gone on from with as much of it as the client has', async (t) => {
  const running = await start(t)
  const { script } = running.upstream
  running.upstream.script = (res) => {
    startSse(res)
    for (const word of ['One ', 'river ', 'in ', 'Norway ', 'is ']) res.write(delta({ content: word }))
  }
  const stop = new AbortController()
  const stopped = await running.chat({ messages: [user('A river?')], stream: true }, {}, stop.signal)
  const reader = stopped.body?.getReader()
  await reader?.read()
  stop.abort()
  const turn = await running.endedTurn(stopped)
  t.match(turn, { status: 'incomplete', error: 'client_disconnect' })
  running.upstream.script = script
  const messages = [user('A river?'), assistant('One river')]
  const next = await ask(running, [...messages, user('Longer.')])
  t.match(next, { match: 'exact', conversationId: turn.conversation_id, seq: 2 })
  const other = await ask(running, [user('A river?'), assistant('Two rivers'), user('Longer.')])
  t.match(other, { match: 'new' }, 'what it did not begin with is another answer')
  t.not(other.conversationId, turn.conversation_id)
})

t.test('an answer is gone on with in place of the turn that it broke off in', async (t) => {
  const running = await start(t)
  const { messages, id } = await chatOf(running, ['one'])
  const half = assistant(String(messages[1]?.content).slice(0, 20))
  const first = await ask(running, [user('one'), half])
  t.match(first, { match: 'exact', conversationId: id, seq: 2 })
  t.same(await running.path(id), [2])
  t.match((await running.turnsOf(id ?? ''))[1], { user_text: 'one', parent_seq: 0 })
})

t.test('a question whose answer was stopped, and that the client forgets, is not replaced', async (t) => {
  const running = await start(t)
  const { messages, id } = await chatOf(running, ['one'])
  const { script } = running.upstream
  running.upstream.script = (res) => {
    startSse(res)
    res.write(delta({ content: 'half an answer' }))
  }
  const stop = new AbortController()
  const asked = [...messages, user('two')]
  const stopped = await running.chat({ messages: asked, stream: true }, {}, stop.signal)
  await stopped.body?.getReader().read()
  stop.abort()
  t.match(await running.endedTurn(stopped), { seq: 2, status: 'incomplete' })
  running.upstream.script = script
  const next = await ask(running, [...asked, user('three')])
  t.match(next, { match: 'exact', conversationId: id, seq: 3 })
  t.match((await running.turnsOf(id ?? ''))[2], { parent_seq: 2, user_text: 'three', detail: null })
  t.same(await running.path(id), [1, 2, 3])
  const again = await ask(running, [...asked, user('three')])
  t.match(again, { conversationId: id, seq: 4 })
  t.same(await running.path(id), [1, 2, 4])
  const instead = await ask(running, [...messages, user('another')])
  t.match(instead, { conversationId: id, seq: 5 })
  t.same(await running.path(id), [1, 5])
})

t.test('an answer that broke off is gone on with in its place, and both parts are one answer', async (t) => {
  const running = await start(t)
  const { messages, id } = await chatOf(running, ['one'])
  const { script } = running.upstream
  running.upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'The first half,' }))
  }
  const asked = [...messages, user('two')]
  const broken = await running.chat({ messages: asked, stream: true })
  await broken.text()
  running.upstream.script = (res) => sendJson(res, 200, completion(' and the second.'))
  const rest = await ask(running, [...asked, assistant('The first half,')])
  t.match(rest, { match: 'exact', conversationId: id, seq: 3 })
  t.same(await running.path(id), [1, 3])
  running.upstream.script = script
  const whole = assistant('The first half, and the second.')
  t.match(await ask(running, [...asked, whole, user('three')]), {
    match: 'exact',
    conversationId: id,
    seq: 4
  })
  t.same(await running.path(id), [1, 3, 4])
})

t.test('a client that has its own words for a failure asks again in its place', async (t) => {
  const running = await start(t)
  const { script } = running.upstream
  const fail = () => {
    running.upstream.script = (res) => sendJson(res, 500, { error: { message: 'broken' } })
  }
  fail()
  const failed = await ask(running, [user(QUESTION)])
  t.match(failed, { status: 500, match: 'new', seq: 1 })
  const greeting = await ask(running, [user('Hi')])
  running.upstream.script = script
  const error = assistant('Something went wrong.')
  const input = [user(QUESTION), error, user('try again')]
  const again = await ask(running, input)
  t.match(again, { match: 'exact', conversationId: failed.conversationId, seq: 2 })
  t.same(await running.path(failed.conversationId), [2])
  const turnsOf = async () => await running.turnsOf(failed.conversationId ?? '')
  t.match((await turnsOf())[1], { detail: { input } }, 'the question is kept')

  const next = [...input, again.message, user('a second question')]
  fail()
  t.match(await ask(running, next), { status: 500, seq: 3 })
  running.upstream.script = script
  const repeated = await ask(running, [...next, error, user('once more')])
  t.match(repeated, { match: 'exact', conversationId: failed.conversationId, seq: 4 })
  t.same(await running.path(failed.conversationId), [2, 4])
  t.match((await turnsOf())[3], { detail: { input: [user('a second question'), error, user('once more')] } })

  const strangers = await ask(running, [user('Hi'), assistant('Hello!'), user('my question')])
  t.match(strangers, { match: 'new' }, 'a greeting is everybody’s')
  t.not(strangers.conversationId, greeting.conversationId)
  const unasked = await ask(running, [user('another, which is long enough'), error, user('one')])
  t.match(unasked, { match: 'new' }, 'what nobody asked has not failed')
})

t.test('who goes on before the end is written goes on behind the turn that runs', async (t) => {
  const running = await start(t)
  const { script } = running.upstream
  const { messages } = await chatOf(running, ['one'])
  for (const history of [[], messages]) {
    const end = Promise.withResolvers<void>()
    running.upstream.script = async (res) => {
      startSse(res)
      res.write(delta({ content: 'An answer' }) + delta({}, 'stop'))
      await end.promise
      res.end('data: [DONE]\n\n')
    }
    const asked = [...history, user(QUESTION)]
    const first = await running.chat({ messages: asked, stream: true })
    const id = first.headers.get('x-conversation-id')
    running.upstream.script = script
    const next = await ask(running, [...asked, assistant('An answer'), user('next')])
    t.match(next, { match: 'exact', conversationId: id })
    const forgotten = await ask(running, [...asked, user('next, without it')])
    if (history.length > 0) t.match(forgotten, { match: 'exact', conversationId: id })
    end.resolve()
    await first.text()
    const turns = await running.turnsOf(id ?? '')
    const seq = Number(first.headers.get('x-turn-seq'))
    t.match(
      turns.find((turn) => turn.seq === next.seq),
      { parent_seq: seq }
    )
  }
})

t.test('a request that is made again keeps the history of the turn that it began', async (t) => {
  for (const place of Object.values(DRIVERS)) {
    const running = await start(t, { DB_URL: await place(t) })
    const { messages, id } = await chatOf(running, ['one'])
    const { script } = running.upstream
    const end = Promise.withResolvers<void>()
    running.upstream.script = async (res, call, req) => {
      await end.promise
      await script(res, call, req)
    }
    const beside = ask(running, [...messages, user('task a')])
    while (running.upstream.calls.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    running.upstream.script = (res) => sendJson(res, 429, { error: { message: 'slow down' } })
    const task = [...messages, user('task b')]
    const forked = await ask(running, task)
    t.match(forked, { status: 429, match: 'new', seq: 1 })
    t.not(forked.conversationId, id)
    running.upstream.script = script
    end.resolve()
    await beside
    const retried = await ask(running, task, {}, { 'x-stainless-retry-count': '1' })
    t.match(retried, { status: 200, match: 'exact', conversationId: forked.conversationId, seq: 1 })
    const [turn] = await running.turnsOf(forked.conversationId ?? '')
    t.match(turn, { status: 'completed', attempt: 2, detail: { input: task } })
  }
})
