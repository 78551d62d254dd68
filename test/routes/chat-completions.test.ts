import t from 'tap'
import { startApp } from '../helper/app.ts'
import { isErrorReply, request } from '../helper/request.ts'
import { completion, plainAnswer, sendJson, startUpstream } from '../helper/upstream.ts'

const OURS = ['x-conversation-id', 'x-turn-id', 'x-turn-seq']

t.test('a recorded answer names its conversation, turn and seq, as a stream and as JSON', async (t) => {
  const upstream = await startUpstream(t)
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  for (const stream of [true, false]) {
    const res = await chat({ stream })
    await res.text()
    const [conversation, turn, seq] = OURS.map((name) => res.headers.get(name))
    t.match(conversation, /^conv_[0-9a-f]{32}$/)
    t.match(turn, /^turn_[0-9a-f]{32}$/)
    t.equal(seq, '1')
    t.match(await turnsOf(conversation ?? ''), [{ id: turn, seq: 1, status: 'completed' }])
  }
})

t.test('a JSON answer reaches the client byte for byte', async (t) => {
  const odd =
    '{ "id":"x", "big":12345678901234567890,\n "choices":[{"index":0,"message":{"content":"é\\u00e9"}}] }'
  const upstream = await startUpstream(t, (res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(odd)
  })
  const { chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const res = await chat()
  t.equal(await res.text(), odd)
  t.equal(res.headers.get('content-type'), 'application/json')
})

t.test('a turn is filed in the conversation that the header, the body or both name', async (t) => {
  const upstream = await startUpstream(t)
  const { url, chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  const header = { 'x-conversation-id': id }
  const ways: [body: object, headers: Record<string, string>][] = [
    [{}, header],
    [{ conversation_id: id }, {}],
    [{ conversation_id: id }, header],
    [{ conversation_id: null }, header]
  ]
  for (const [body, headers] of ways) {
    const res = await chat(body, headers)
    t.equal(res.status, 200)
    t.equal(res.headers.get('x-conversation-id'), id)
  }
  t.equal((await turnsOf(id)).length, ways.length)
  t.equal((await request(`${url}/v1/conversations`)).json.data.length, 1)
})

t.test('header and body that name different conversations are a 400 before any call', async (t) => {
  const upstream = await startUpstream(t)
  const { url, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const [a, b] = await Promise.all([1, 2].map(() => request(`${url}/v1/conversations`, { body: {} })))
  const res = await request(`${url}/v1/chat/completions`, {
    body: { messages: [{ role: 'user', content: 'x' }], conversation_id: a?.json.id },
    headers: { 'x-conversation-id': b?.json.id }
  })
  isErrorReply(t, res, 400, { param: 'conversation_id' }, 'two conversations')
  t.same([await turnsOf(a?.json.id), await turnsOf(b?.json.id)], [[], []])
  t.equal(upstream.calls.length, 0)
})

t.test('with store: false or PERSIST_TRANSCRIPTS=false nothing is recorded', async (t) => {
  const upstream = await startUpstream(t)
  const recording = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const silent = await startApp(t, { OPENAI_BASE_URL: upstream.url, PERSIST_TRANSCRIPTS: 'false' })
  for (const stream of [true, false]) {
    for (const [app, body] of [
      [recording, { store: false }],
      [silent, {}],
      [silent, { store: true }]
    ] as const) {
      const { id } = (await request(`${app.url}/v1/conversations`, { body: {} })).json
      for (const headers of [{}, { 'x-conversation-id': id }]) {
        const before = app.app.store.counters.transactions
        const res = await app.chat({ ...body, stream }, headers)
        t.match(await res.text(), /Hello/)
        t.same(
          OURS.map((name) => res.headers.get(name)),
          [null, null, null]
        )
        t.equal(app.app.store.counters.transactions, before)
      }
      t.same(await app.turnsOf(id), [])
    }
  }
  t.equal((await request(`${recording.url}/v1/conversations`)).json.data.length, 2, 'only those created')
})

t.test('a tool round trip is two turns, and the second holds the tool results only', async (t) => {
  const calls = [
    { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }
  ]
  const upstream = await startUpstream(t, (res) =>
    sendJson(res, 200, {
      ...completion(null),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: null, tool_calls: calls },
          finish_reason: 'tool_calls'
        }
      ]
    })
  )
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const question = { role: 'user', content: 'How is the weather?' }
  const first = await chat({ messages: [question] })
  const { choices } = (await first.json()) as { choices: { message: object }[] }
  const id = first.headers.get('x-conversation-id') ?? ''

  upstream.script = plainAnswer
  const result = { role: 'tool', tool_call_id: 'call_1', content: '7 °C' }
  await (
    await chat({ messages: [question, choices[0]?.message, result] }, { 'x-conversation-id': id })
  ).text()
  const [asked, answered] = await turnsOf(id)
  t.match(asked, { user_text: question.content, assistant_text: null, finish_reason: 'tool_calls' })
  t.same(asked?.detail, {
    choices: [{ index: 0, message: { tool_calls: calls }, finish_reason: 'tool_calls' }]
  })
  t.match(answered, { seq: 2, user_text: null, assistant_text: 'Hello world', finish_reason: 'stop' })
  t.same(answered?.detail, { input: [result] })
})

t.test('content parts are kept exactly, and their text is the turn’s text', async (t) => {
  const upstream = await startUpstream(t)
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } }
  const messages = [
    { role: 'user', content: [{ type: 'text', text: 'What is' }, image, { type: 'text', text: 'this?' }] }
  ]
  const res = await chat({ messages })
  const [turn] = await turnsOf(res.headers.get('x-conversation-id') ?? '')
  t.equal(turn?.user_text, 'What is\nthis?')
  t.same(turn?.detail, { input: messages })
})

t.test(
  'a conversation that begins with a history keeps all of it; one that goes on, what is new',
  async (t) => {
    const upstream = await startUpstream(t)
    const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
    const history = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'One?' },
      { role: 'assistant', content: 'One.' },
      { role: 'user', content: 'Two?' }
    ]
    const first = await chat({ messages: history })
    const id = first.headers.get('x-conversation-id') ?? ''
    const more = [...history, { role: 'assistant', content: 'Two.' }, { role: 'user', content: 'Three?' }]
    await (await chat({ messages: more }, { 'x-conversation-id': id })).text()
    const [began, wentOn] = await turnsOf(id)
    t.equal(began?.user_text, 'Two?')
    t.same(began?.detail, { input: history })
    t.equal(wentOn?.user_text, 'Three?')
    t.equal(wentOn?.detail, null)
  }
)
