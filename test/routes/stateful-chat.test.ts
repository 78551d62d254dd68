import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { ALICE, BOB, startStateful, told, visible } from '../helper/stateful.ts'
import { completion, sendJson } from '../helper/upstream.ts'

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: the history is put in front of what is asked, and only that is stored`, async (t) => {
    const { app, create, chat, say, sent, turnsOf, call } = await startStateful(t, {
      DB_URL: await makePlace(t)
    })
    const id = await create()
    const before = app.store.counters.transactions
    const first = await say(id, 'One', { stream: true })
    t.equal(app.store.counters.transactions - before, 2, 'two writes')
    t.match(first.text, /re: One.*\[DONE\]/s)
    t.strictSame([first.headers.get('x-conversation-id'), first.headers.get('x-turn-seq')], [id, '1'])
    const second = await chat({ conversation: { id }, messages: [{ role: 'user', content: 'Two' }] })
    t.match(await second.json(), { choices: [{ message: { content: 're: Two' } }] })
    t.strictSame(sent(), {
      messages: [
        { role: 'user', content: 'One' },
        { role: 'assistant', content: 're: One' },
        { role: 'user', content: 'Two' }
      ],
      model: 'm'
    })
    const plain = { detail: null, kind: 'chat', status: 'completed' }
    t.match(await turnsOf(id), [
      { seq: 1, parent_seq: 0, user_text: 'One', assistant_text: 're: One', ...plain },
      { seq: 2, parent_seq: 1, user_text: 'Two', assistant_text: 're: Two', ...plain }
    ])
    t.match((await call(`/conversations/${id}`)).json, { title: 'One', last_seq: 2 })
  })
}

t.test("the client's own part of the body goes on to the letter, less what is ours", async (t) => {
  const { create, say, call, upstream } = await startStateful(t)
  const id = await create()
  await say(id, 'One')
  const own = ' {"content" : "Tw\\u006f", "role":"user","x":12345678901234567890} '
  const front = '{"role":"user","content":"One"},{"role":"assistant","content":"re: One"}'
  const body = `{ "temperature":1.0,"conversation":{"id":"${id}"},"metadata":{"a":"b"},"messages":[${own}],"store":true,"seed":1E400}`
  t.equal((await call('/chat/completions', { body })).status, 200)
  t.equal(upstream.calls.at(-1)?.body, `{"messages":[${front},${own}],"temperature":1.0,"seed":1E400}`)
})

t.test('turns of other kinds are history too: responses, and items that were added', async (t) => {
  const { create, respond, say, sent } = await startStateful(t)
  const id = await create({
    items: [
      { role: 'developer', content: 'Be kind.' },
      { role: 'user', content: [{ type: 'input_text', text: 'Added' }] },
      { role: 'assistant', content: [{ type: 'output_text', text: 'Noted' }] }
    ]
  })
  await respond('Two', { conversation: id })
  await say(id, 'Three')
  t.strictSame(sent().messages, [
    { role: 'developer', content: 'Be kind.' },
    { role: 'user', content: 'Added' },
    { role: 'assistant', content: 'Noted' },
    { role: 'user', content: 'Two' },
    { role: 'assistant', content: 're: Two' },
    { role: 'user', content: 'Three' }
  ])
})

t.test('of several choices the first is history', async (t) => {
  const { create, say, sent, upstream } = await startStateful(t)
  const id = await create()
  const choice = (index: number) => ({
    index,
    message: { role: 'assistant', content: `choice ${index}` },
    finish_reason: 'stop'
  })
  upstream.script = (res) => sendJson(res, 200, { ...completion(''), choices: [choice(1), choice(0)] })
  await say(id, 'One', { n: 2 })
  await say(id, 'Two')
  t.strictSame(told(sent().messages), ['user: One', 'assistant: choice 0', 'user: Two'])
})

t.test('without recording the history is put in front all the same, and nothing is added', async (t) => {
  const items = [
    { role: 'user', content: 'One' },
    { role: 'assistant', content: 'Noted' }
  ]
  const cases: [settings: Record<string, string>, body: object][] = [
    [{}, { store: false }],
    [{ PERSIST_TRANSCRIPTS: 'false' }, {}],
    [{ PERSIST_TRANSCRIPTS: 'false' }, { store: true, stream: true }]
  ]
  for (const [settings, body] of cases) {
    const { app, create, say, sent, turnsOf } = await startStateful(t, settings)
    const id = await create({ items })
    const before = app.store.counters.transactions
    const res = await say(id, 'Two', body)
    t.equal(res.status, 200)
    t.strictSame([res.headers.get('x-turn-id'), res.headers.get('x-conversation-id')], [null, null])
    t.strictSame(told(sent().messages), ['user: One', 'assistant: Noted', 'user: Two'])
    t.notOk('conversation' in sent() || 'store' in sent())
    t.equal(app.store.counters.transactions, before)
    t.equal((await turnsOf(id)).length, 1)
  }
})

t.test('DEFAULT_MODEL is asked where no model is named, and is the one that is stored', async (t) => {
  const { create, call, sent, turnsOf, upstream } = await startStateful(t, { DEFAULT_MODEL: 'm-default' })
  const id = await create()
  upstream.script = (res) => sendJson(res, 200, { choices: [{ message: { content: 'a' } }] })
  const body = { conversation: id, messages: [{ role: 'user', content: 'Hi' }] }
  await call('/chat/completions', { body })
  t.strictSame(sent(), { model: 'm-default', messages: body.messages })
  await call('/chat/completions', { body: { ...body, model: 'm-mine' } })
  t.equal(sent().model, 'm-mine')
  t.match(await turnsOf(id), [{ model: 'm-default' }, { model: 'm-mine' }])
})

t.test('a conversation that is not there, or is named twice, is an error that calls nobody', async (t) => {
  const { create, call, upstream } = await startStateful(t)
  const id = await create()
  const none = `conv_${'0'.repeat(32)}`
  const cases: [
    body: object,
    headers: Record<string, string>,
    status: number,
    code: string,
    param: string
  ][] = [
    [{ conversation: none }, {}, 404, 'conversation_not_found', 'conversation'],
    [{ conversation: { id: none } }, {}, 404, 'conversation_not_found', 'conversation'],
    [{ conversation: 'x' }, {}, 404, 'conversation_not_found', 'conversation'],
    [{ conversation: none, store: false }, {}, 404, 'conversation_not_found', 'conversation'],
    [{ conversation: 7 }, {}, 400, 'invalid_value', 'conversation'],
    [{ conversation: [] }, {}, 400, 'invalid_value', 'conversation'],
    [{ conversation: {} }, {}, 400, 'invalid_value', 'conversation'],
    [{ conversation: { id: 7 } }, {}, 400, 'invalid_value', 'conversation.id'],
    [{ conversation: { id, x: 1 } }, {}, 400, 'invalid_value', 'conversation'],
    [{ conversation: id, conversation_id: id }, {}, 400, 'mutually_exclusive_parameters', 'conversation'],
    [{ conversation: id }, { 'x-conversation-id': id }, 400, 'mutually_exclusive_parameters', 'conversation'],
    [{ conversation_id: id }, { 'x-conversation-id': none }, 400, 'invalid_value', 'conversation_id'],
    [{ conversation: id }, { 'x-parent-seq': '1' }, 400, 'invalid_value', 'x-parent-seq']
  ]
  for (const [extra, headers, status, code, param] of cases) {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...extra }
    const res = await call('/chat/completions', { body, headers })
    isErrorReply(t, res, status, { code, param }, JSON.stringify([extra, headers]).slice(0, 60))
  }
  t.equal(upstream.calls.length, 0)
  t.equal((await call(`/conversations/${id}`)).json.last_seq, 0)
  const body = { messages: [{ role: 'user', content: 'Hi' }], conversation: null }
  const fresh = await call('/chat/completions', { body })
  t.ok(fresh.status === 200 && fresh.headers.get('x-conversation-id') !== id, 'null is a new conversation')
})

t.test("another session's conversation looks like one that never was, byte for byte", async (t) => {
  const { call, upstream } = await startStateful(t, { AUTH: 'header' })
  const { id } = (await call('/conversations', { body: {}, headers: ALICE })).json
  const body = { messages: [{ role: 'user', content: 'Hi' }], conversation: id }
  t.equal((await call('/chat/completions', { body, headers: ALICE })).status, 200)
  const calls = upstream.calls.length
  for (const extra of [{}, { stream: true }, { store: false }]) {
    const ask = async (conversation: unknown) =>
      visible(await call('/chat/completions', { body: { ...body, conversation, ...extra }, headers: BOB }))
    const never = await ask(`conv_${'0'.repeat(32)}`)
    t.match(never, '404')
    for (const foreign of [id, { id }]) t.equal(await ask(foreign), never)
  }
  t.equal(upstream.calls.length, calls)
})
