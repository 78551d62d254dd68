import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { ask, assistant, chatOf, type Message, startTalk as start, user } from '../helper/talk.ts'
import { completion, sendJson } from '../helper/upstream.ts'

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

t.test('end users of one session have names of their own for their chats', async (t) => {
  const running = await start(t)
  const headers = { 'x-session-id': 'default' }
  const ada = await ask(running, [user('one')], { user: 'ada' }, headers)
  const bob = await ask(running, [user('one')], { user: 'bob' }, headers)
  t.not(bob.conversationId, ada.conversationId)
  const next = await ask(running, [user('two')], { user: 'ada' }, headers)
  t.match(next, { conversationId: ada.conversationId, seq: 2 })
})
