import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { answerInTurn, ask, assistant, type Filed, type Message, user } from '../helper/talk.ts'
import { completion, delta, sendJson, startSse, startUpstream } from '../helper/upstream.ts'

async function start(t: Test, settings: Record<string, string> = {}) {
  const upstream = await startUpstream(t)
  answerInTurn(upstream)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, ...settings })
  /** The seqs of a conversation's turns that count. */
  const path = async (id: string | null) =>
    (await running.turnsOf(id ?? '')).filter((turn) => !turn.superseded).map(({ seq }) => seq)
  return { upstream, ...running, path }
}

/** Asks `questions` one after the other, as a client that keeps the list of messages. */
async function chatOf(running: Parameters<typeof ask>[0], questions: string[]) {
  const messages: Message[] = []
  const filed: Filed[] = []
  for (const question of questions) {
    messages.push(user(question))
    const one = await ask(running, messages)
    messages.push(one.message)
    filed.push(one)
  }
  return { messages, filed, id: filed[0]?.conversationId ?? null }
}

for (const [name, place] of Object.entries(DRIVERS)) {
  t.test(`${name}: a chat without ids is one conversation, with what is new in each turn`, async (t) => {
    const running = await start(t, { DB_URL: await place(t) })
    const { filed, id } = await chatOf(running, ['one', 'two', 'three'])
    t.same(
      filed.map(({ match, seq }) => [match, seq]),
      [
        ['new', 1],
        ['exact', 2],
        ['exact', 3]
      ]
    )
    t.same(new Set(filed.map(({ conversationId }) => conversationId)).size, 1)
    t.match(
      await running.turnsOf(id ?? ''),
      [
        { user_text: 'one', parent_seq: 0, detail: null },
        { user_text: 'two', parent_seq: 1, detail: null },
        { user_text: 'three', parent_seq: 2, detail: null }
      ],
      'the history is not stored again'
    )
  })

  t.test(`${name}: regenerated and edited, a turn takes the place of those after its history`, async (t) => {
    const running = await start(t, { DB_URL: await place(t) })
    const { messages, id } = await chatOf(running, ['one', 'two', 'three'])
    const again = await ask(running, messages.slice(0, 5))
    t.match(again, { match: 'exact', conversationId: id, seq: 4 })
    t.same(await running.path(id), [1, 2, 4])
    const edited = await ask(running, [...messages.slice(0, 2), user('another')])
    t.match(edited, { match: 'exact', conversationId: id, seq: 5 })
    t.same(await running.path(id), [1, 5])
    const older = await ask(running, [...messages.slice(0, 4), user('on the older way')])
    t.match(older, { match: 'exact', conversationId: id, seq: 6 })
    t.same(await running.path(id), [1, 2, 6], 'a version that was left can be gone on with')
  })

  t.test(`${name}: many at once that go on from one point are chats of their own`, async (t) => {
    const running = await start(t, { DB_URL: await place(t) })
    const { messages, id } = await chatOf(running, ['one'])
    const { script } = running.upstream
    const allAsked = Promise.withResolvers<void>()
    running.upstream.script = async (res, call, req) => {
      if (running.upstream.calls.length === 5) allAsked.resolve()
      await allAsked.promise
      await script(res, call, req)
    }
    const all = await Promise.all(
      ['a', 'b', 'c', 'd'].map((task) => ask(running, [...messages, user(`task ${task}`)]))
    )
    t.equal(new Set(all.map(({ conversationId }) => conversationId)).size, 4)
    t.equal(all.filter(({ conversationId }) => conversationId === id).length, 1)
    t.same(await running.path(id), [1, 2], 'none replaces another')
    const forked = all.find(({ conversationId }) => conversationId !== id)
    const conversation = await running.app.store.getConversation('local', forked?.conversationId ?? '')
    t.same(conversation?.metadata, { forked_from: id })
  })

  t.test(`${name}: a header of a known client names the conversation`, async (t) => {
    const running = await start(t, { DB_URL: await place(t) })
    const headers = { 'x-openwebui-chat-id': 'chat-1' }
    const first = await ask(running, [user('one')], {}, headers)
    t.equal(first.match, 'external')
    const again = await ask(running, [user('one')], {}, headers)
    t.match(again, { match: 'external', conversationId: first.conversationId, seq: 2 })
    t.same(await running.path(first.conversationId), [2], 'the first answer once more')
    const next = await ask(running, [user('one'), again.message, user('two')], {}, headers)
    t.match(next, { match: 'external', conversationId: first.conversationId, seq: 3 })
    const edited = await ask(running, [user('one'), again.message, user('three')], {}, headers)
    t.match(edited, { conversationId: first.conversationId, seq: 4 })
    t.same(await running.path(first.conversationId), [2, 4])
    const unknown = await ask(running, [user('?'), assistant('!'), user('four')], {}, headers)
    t.match(unknown, { conversationId: first.conversationId, seq: 5 })
    t.same(await running.path(first.conversationId), [2, 4, 5], 'nothing is replaced by what nobody knows')
    const other = await ask(running, [user('one')], {}, { 'x-openwebui-chat-id': 'chat-2' })
    t.not(other.conversationId, first.conversationId)
  })
}

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

t.test('a history that the client has cut or changed is known by its answers', async (t) => {
  const running = await start(t)
  const { messages, id } = await chatOf(running, ['one', 'two', 'three', 'four'])
  const window = await ask(running, [...messages.slice(-4), user('five')])
  t.match(window, { match: 'anchor', conversationId: id, seq: 5 })
  const same = [...messages.slice(-4), user('five'), window.message]
  t.match(await ask(running, [...same, user('six')]), { match: 'exact', conversationId: id, seq: 6 })
  const summary = { role: 'system', content: 'So far: numbers.' }
  const summed = await ask(running, [summary, ...same.slice(-4), user('seven')])
  t.match(summed, { match: 'anchor', conversationId: id, seq: 7 })
  const quoted = await ask(running, [user('So far: numbers.'), ...same.slice(-3), user('eight')])
  t.match(quoted, { match: 'anchor', conversationId: id, seq: 8 })
  const changed = messages.map((message, i) => (i === 0 ? user('one, from file.txt: …') : message))
  const elsewhere = await ask(running, [...changed.slice(0, 2), user('another')])
  t.match(elsewhere, { match: 'anchor', conversationId: id }, 'one answer, with the question around it')
  const strange = await ask(running, [user('nothing alike'), messages[1] as Message, user('another')])
  t.match(strange, { match: 'new' }, 'one answer of less than 200 characters alone proves nothing')
  const wrong = [
    user('one'),
    assistant('An answer that was never given, at any length.'),
    ...messages.slice(-2)
  ]
  t.match(await ask(running, [...wrong, user('five')]), { match: 'new' }, 'nor do answers that contradict')
})

t.test(
  'where two conversations are as good as each other, a new one says which it may have been',
  async (t) => {
    const running = await start(t)
    running.upstream.script = (res) => sendJson(res, 200, completion('Hello! How can I help?'))
    const greeting = [user('Hi'), assistant('Hello! How can I help?')]
    const first = await ask(running, greeting.slice(0, 1))
    const second = await ask(running, greeting.slice(0, 1))
    t.not(second.conversationId, first.conversationId, 'without an answer nothing is joined')
    const next = await ask(running, [...greeting, user('A joke')])
    t.match(next, { match: 'new', seq: 1 })
    const conversation = await running.app.store.getConversation('local', next.conversationId ?? '')
    t.same(conversation?.metadata, { forked_from: second.conversationId })
    const further = await ask(running, [...greeting, user('A joke'), next.message, user('Another')])
    t.match(further, { match: 'exact', conversationId: next.conversationId, seq: 2 })
    const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, 'v']))
    const full = await ask(running, [...greeting, user('A song')], { metadata })
    const kept = await running.app.store.getConversation('local', full.conversationId ?? '')
    t.same(kept?.metadata, metadata, 'its own metadata comes first')
  }
)

t.test('of two that say the same, one person goes on in the newest', async (t) => {
  const running = await start(t)
  running.upstream.script = (res) => sendJson(res, 200, completion('Hello! How can I help?'))
  const greeting = [user('Hi'), assistant('Hello! How can I help?')]
  for (const name of ['user', 'safety_identifier']) {
    const [ada, bob] = [{ [name]: 'ada' }, { [name]: 'bob' }]
    const older = await ask(running, greeting.slice(0, 1), ada)
    const newer = await ask(running, greeting.slice(0, 1), ada)
    await ask(running, greeting.slice(0, 1), bob)
    const next = await ask(running, [...greeting, user('A joke')], ada)
    t.match(next, { match: 'exact', conversationId: newer.conversationId, seq: 2 })
    const last = await ask(running, [...greeting, user('A song')], ada)
    t.match(last, { match: 'exact', conversationId: older.conversationId, seq: 2 }, 'the one that is left')
    const unnamed = await ask(running, [...greeting, user('A joke')])
    t.match(unnamed, { match: 'new' }, 'whom nobody names is nobody of these')
  }
})

t.test('nobody goes on with what another session has said', async (t) => {
  const running = await start(t, { AUTH: 'header' })
  const as = (name: string) => ({ 'x-session-id': name })
  const messages = [user('one')]
  const first = await ask(running, messages, {}, as('ada'))
  t.equal(first.match, 'new', 'the header that names the session names no chat')
  const history = [...messages, first.message, user('two')]
  const other = await ask(running, history, {}, as('bob'))
  t.match(other, { match: 'new', seq: 1 })
  t.not(other.conversationId, first.conversationId)
  t.match(await ask(running, history, {}, as('ada')), { match: 'exact', seq: 2 })
  const chat = { 'x-session-affinity': 'chat-1' }
  const mine = await ask(running, messages, {}, { ...as('ada'), ...chat })
  const theirs = await ask(running, messages, {}, { ...as('bob'), ...chat })
  t.match(
    [mine, theirs],
    [
      { match: 'external', seq: 1 },
      { match: 'external', seq: 1 }
    ]
  )
})

t.test('what goes to the upstream does not depend on a match', async (t) => {
  const running = await start(t)
  const body = (content: string, history: Message[] = []) =>
    `{"messages": ${JSON.stringify([...history, user(content)])}, "n": 1, "x": 1.0}`
  const send = (text: string) =>
    fetch(`${running.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: text
    })
  const first = await send(body('one'))
  const { choices } = (await first.json()) as { choices: { message: Message }[] }
  const history = [user('one'), choices[0]?.message as Message]
  const next = await send(body('two', history))
  t.equal(next.headers.get('x-conversation-match'), 'exact')
  t.same(
    running.upstream.calls.map((call) => call.body),
    [body('one'), body('two', history)]
  )
})

t.test('a session header files requests in their order and replaces nothing', async (t) => {
  const running = await start(t)
  const headers = { 'x-litellm-session-id': 'run-1' }
  const first = await ask(running, [user('plan')], {}, headers)
  const helper = await ask(running, [user('a task of a helper')], {}, headers)
  const next = await ask(running, [user('plan'), first.message, user('go on')], {}, headers)
  t.match([first, helper, next], [{ seq: 1 }, { seq: 2 }, { seq: 3 }])
  t.same(await running.path(first.conversationId), [1, 2, 3])
  const inBody = await ask(running, [user('more')], { litellm_session_id: 'run-1' })
  t.match(inBody, { match: 'external', conversationId: first.conversationId, seq: 4 })
  const empty = await ask(running, [user('plan')], {}, { 'chatui-conversation-id': '' })
  t.equal(empty.match, 'new', 'an empty name is none')
})

t.test('many first requests with one name at once are one conversation', async (t) => {
  for (const place of Object.values(DRIVERS)) {
    const running = await start(t, { DB_URL: await place(t) })
    const headers = { 'x-litellm-session-id': 'run-1' }
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => ask(running, [user(`task ${i}`)], {}, headers))
    )
    t.equal(new Set(all.map(({ conversationId }) => conversationId)).size, 1)
    t.same(all.map(({ seq }) => seq).sort(), [1, 2, 3, 4, 5, 6, 7, 8])
  }
})

t.test('what a chat UI asks in the background is answered and not recorded', async (t) => {
  const running = await start(t)
  const title = user(
    '### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n<chat_history>\nUSER: Hi'
  )
  const skipped = await ask(running, [title], {}, { 'x-openwebui-chat-id': 'chat-1' })
  t.match(skipped, { status: 200, match: 'skipped', conversationId: null, message: { role: 'assistant' } })
  const { data } = await running.app.store.listConversations('local', { limit: 10, order: 'asc' })
  t.same(data, [])
  t.match(await ask(running, [title], { store: true }), { match: 'new', seq: 1 })
  const conversation = await ask(running, [user('one')])
  const named = { 'x-conversation-id': conversation.conversationId ?? '' }
  t.match(await ask(running, [title], {}, named), { match: 'explicit', seq: 2 })
})

t.test('a conversation that is gone, or full, is not gone on with', async (t) => {
  const running = await start(t, { MAX_TURNS_PER_CONVERSATION: '2' })
  const { messages, id } = await chatOf(running, ['one', 'two'])
  const over = await ask(running, [...messages, user('three')])
  t.match(over, { status: 200, match: 'new', seq: 1 })
  const conversation = await running.app.store.getConversation('local', over.conversationId ?? '')
  t.same(conversation?.metadata, { forked_from: id })
  const next = await ask(running, [...messages, user('three'), over.message, user('four')])
  t.match(next, { match: 'exact', conversationId: over.conversationId, seq: 2 })
  await running.app.store.deleteConversation('local', id ?? '')
  t.match(await ask(running, [...messages.slice(0, 2), user('again')]), { match: 'new', seq: 1 })
})

t.test('what names its conversation can be gone on with without a name', async (t) => {
  const running = await start(t)
  const first = await ask(running, [user('one')])
  const headers = { 'x-conversation-id': first.conversationId ?? '' }
  const second = await ask(running, [user('one'), first.message, user('two')], {}, headers)
  t.equal(second.match, 'explicit')
  const history = [user('one'), first.message, user('two'), second.message]
  t.match(await ask(running, [...history, user('three')]), { match: 'exact', seq: 3 })
  const root = await ask(running, [user('one'), first.message, user('x')], {}, { 'x-parent-seq': '0' })
  t.match(root, { match: 'explicit', seq: 1 })
})

t.test('switched off, each request without a name is a conversation, and nothing is marked', async (t) => {
  const running = await start(t, { THREADING: 'off' })
  const first = await ask(running, [user('one')])
  t.match(first, { match: null, seq: 1 })
  const second = await ask(running, [user('one'), first.message, user('two')])
  t.match(second, { match: null, seq: 1 })
  const marked = await running.app.store.listMarks('local', second.conversationId ?? '', {
    limit: 9,
    order: 'asc'
  })
  t.match(marked, [{ marks: { asked: null, tip: null, answer: null } }])
})

t.test('with nothing recorded nothing is looked for', async (t) => {
  const running = await start(t)
  const first = await ask(running, [user('one')])
  const unrecorded = await ask(running, [user('one'), first.message, user('two')], { store: false })
  t.match(unrecorded, { status: 200, match: null, conversationId: null })
})

t.test('an attempt of an SDK that failed is gone on with where it was', async (t) => {
  const running = await start(t)
  const { messages, id } = await chatOf(running, ['one'])
  const { script } = running.upstream
  running.upstream.script = (res) => sendJson(res, 500, { error: { message: 'broken' } })
  const body = [...messages, user('two')]
  t.match(await ask(running, body), { status: 500, match: 'exact', conversationId: id, seq: 2 })
  running.upstream.script = script
  const retried = await ask(running, body, {}, { 'x-stainless-retry-count': '1' })
  t.match(retried, { match: 'exact', conversationId: id, seq: 2 })
  t.match(await ask(running, [...body, retried.message, user('three')]), { match: 'exact', seq: 3 })
})

t.test('of several choices any can be gone on from', async (t) => {
  const running = await start(t)
  const messages = [user('one')]
  const res = await running.chat({ messages, n: 3 })
  const { choices } = (await res.json()) as { choices: { message: Message }[] }
  for (const { message } of choices.slice(1)) {
    const next = await ask(running, [...messages, message, user('two')])
    t.match(next, { match: 'exact', conversationId: res.headers.get('x-conversation-id') })
  }
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
  running.upstream.script = (res) => sendJson(res, 500, { error: { message: 'broken' } })
  const failed = await ask(running, [user('one')])
  t.match(failed, { status: 500, match: 'new', seq: 1 })
  running.upstream.script = script
  const error = assistant('Something went wrong.')
  const again = await ask(running, [user('one'), error, user('one')])
  t.match(again, { match: 'exact', conversationId: failed.conversationId, seq: 2 })
  t.same(await running.path(failed.conversationId), [2])
  const unasked = await ask(running, [user('another'), error, user('one')])
  t.match(unasked, { match: 'new' }, 'what nobody asked has not failed')
})
