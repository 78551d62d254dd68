import t from 'tap'
import { startApp } from './helper/app.ts'
import { request } from './helper/request.ts'
import { plainAnswer, startUpstream } from './helper/upstream.ts'

// Spelled as escapes: neither a lone surrogate nor a NUL can stand in JSON text as itself.
const ODD = 'a\\ud800b\\u0000c\\udc00'
const EXACT = 'a\ud800b\0c\udc00'
const READABLE = 'a\ufffdb\ufffdc\ufffd'

t.test('NUL and lone surrogates in a message are readable as text and exact in the detail', async (t) => {
  const upstream = await startUpstream(t)
  const { url, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const body = `{"model":"m","messages":[{"role":"user","content":"${ODD}"}]}`
  const res = await request(`${url}/v1/chat/completions`, { body })
  t.equal(res.status, 200)
  t.equal(upstream.calls[0]?.body, body)
  const id = res.headers.get('x-conversation-id') ?? ''
  const [turn] = await turnsOf(id)
  t.equal(turn?.user_text, READABLE)
  t.same(turn?.detail, { input: [{ role: 'user', content: EXACT }] })
  t.equal((await request(`${url}/v1/conversations/${id}`)).json.title, READABLE)
})

t.test('the same in an answer', async (t) => {
  const chunks = [ODD.slice(0, 7), ODD.slice(7)].map(
    (text) => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`
  )
  const upstream = await startUpstream(t, (res, call) => {
    if (!call.body.includes('"stream":true')) {
      res.writeHead(200, { 'content-type': 'application/json' })
      return void res.end(`{"choices":[{"index":0,"message":{"content":"${ODD}"},"finish_reason":"stop"}]}`)
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.end(`${chunks.join('')}data: [DONE]\n\n`)
  })
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  for (const stream of [true, false]) {
    const res = await chat({ stream })
    await res.text()
    const [turn] = await turnsOf(res.headers.get('x-conversation-id') ?? '')
    t.equal(turn?.assistant_text, READABLE)
    t.match(turn?.detail, { choices: [{ message: { content: EXACT } }] })
  }
})

t.test('a title is made readable, metadata comes back exactly', async (t) => {
  const { url } = await startApp(t)
  const body = `{"title":"${ODD}","model":"${ODD}","metadata":{"${ODD}":"${ODD}"}}`
  const created = await request(`${url}/v1/conversations`, { body })
  const expected = { title: READABLE, model: READABLE, metadata: { [EXACT]: EXACT } }
  t.match(created.json, expected)
  const at = `${url}/v1/conversations/${created.json.id}`
  t.match((await request(at)).json, expected)
  const update = `{"title":"${ODD}","metadata":{"k":"${ODD}"}}`
  t.match((await request(at, { body: update })).json, { title: READABLE, metadata: { k: EXACT } })
})

t.test('text of every kind comes back as it was', async (t) => {
  const upstream = await startUpstream(t, plainAnswer)
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const texts = [
    '',
    ' ',
    '\u2028\u2029',
    '🍵👩‍👩‍👧',
    "'; DROP TABLE turns; --",
    '<script>',
    '\\',
    '%s$1',
    'مرحبا',
    '\r\n\t'
  ]
  const first = await chat()
  const headers = { 'x-conversation-id': first.headers.get('x-conversation-id') ?? '' }
  for (const content of texts) await (await chat({ messages: [{ role: 'user', content }] }, headers)).text()
  const turns = await turnsOf(headers['x-conversation-id'])
  t.same(
    turns.slice(1).map((turn) => turn.user_text),
    texts
  )
})

t.test('a message of a megabyte comes back whole', async (t) => {
  const upstream = await startUpstream(t)
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const content = 'tea 🍵 '.repeat(125_000)
  const res = await chat({ messages: [{ role: 'user', content }] })
  const [turn] = await turnsOf(res.headers.get('x-conversation-id') ?? '')
  t.ok(turn?.user_text === content)
})
