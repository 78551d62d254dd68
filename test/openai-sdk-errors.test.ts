import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { startApp } from './helper/app.ts'
import { delta, plainAnswer, sendJson, startSse, startUpstream } from './helper/upstream.ts'

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }]

async function sdk(t: Test) {
  const upstream = await startUpstream(t)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-ours' })
  const client = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: 'sk-theirs', maxRetries: 0 })
  return { upstream, client, ...running }
}

t.test("the upstream's errors are the SDK's own error classes", async (t) => {
  const { client, upstream, app } = await sdk(t)
  const cases: [status: number, type: new (...given: never[]) => Error][] = [
    [400, OpenAI.BadRequestError],
    [404, OpenAI.NotFoundError],
    [409, OpenAI.ConflictError],
    [422, OpenAI.UnprocessableEntityError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
    [503, OpenAI.InternalServerError]
  ]
  for (const [status, type] of cases) {
    const error = { message: `because ${status}`, type: 'some_type', param: 'p', code: 'some_code' }
    upstream.script = (res) => sendJson(res, status, { error })
    for (const stream of [true, false]) {
      const err = await client.chat.completions
        .create({ model: 'm', messages: MESSAGES, stream })
        .catch((e) => e)
      t.ok(err instanceof type, `${status} is a ${type.name}`)
      t.match(err, {
        status,
        code: 'some_code',
        param: 'p',
        type: 'some_type',
        message: `${status} because ${status}`
      })
      const turn = err.headers.get('x-conversation-id')
      const page = await app.store.listTurns('local', turn, { limit: 1, order: 'asc' })
      t.match(page?.data, [{ status: 'failed', error: 'upstream_error' }])
    }
  }
})

t.test('errors of our own are the SDK’s own error classes too', async (t) => {
  const { client, upstream } = await sdk(t)
  const ask = (body: object, headers = {}) =>
    client.chat.completions.create({ model: 'm', messages: MESSAGES, ...body }, { headers }).catch((e) => e)
  const bad = await ask({ messages: [] })
  t.ok(bad instanceof OpenAI.BadRequestError)
  t.match(bad, { param: 'messages', code: 'invalid_value', type: 'invalid_request_error' })
  const none = await ask({}, { 'x-conversation-id': `conv_${'0'.repeat(32)}` })
  t.ok(none instanceof OpenAI.NotFoundError)
  upstream.script = (res) => sendJson(res, 401, { error: { message: 'sk-ours is wrong' } })
  const refused = await ask({})
  t.ok(refused instanceof OpenAI.InternalServerError)
  t.match(refused, { status: 502, code: 'upstream_auth', type: 'server_error' })
  t.notMatch(refused.message, 'sk-ours')
})

t.test('a stream that breaks off makes the SDK throw, after what had come', async (t) => {
  const { client, upstream } = await sdk(t)
  upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'half' }))
  }
  const stream = await client.chat.completions.create({ model: 'm', messages: MESSAGES, stream: true })
  let text = ''
  const reading = async () => {
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  }
  const err = await reading().catch((e) => e)
  t.ok(err instanceof OpenAI.APIError)
  t.equal(err.code, 'upstream_truncated')
  t.equal(text, 'half')
})

t.test('the SDK’s retries reach the upstream again, and land on the same turn', async (t) => {
  const { upstream, url, turnsOf } = await sdk(t)
  upstream.script = (res, call, req) => {
    if (upstream.calls.length > 1) return plainAnswer(res, call, req)
    res.writeHead(429, { 'content-type': 'application/json', 'retry-after-ms': '1' })
    res.end('{"error":{"message":"slow down"}}')
  }
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 1 })
  const { id } = await client.conversations.create()
  await client.chat.completions.create(
    { model: 'm', messages: MESSAGES },
    { headers: { 'x-conversation-id': id } }
  )
  const turns = await turnsOf(id)
  t.equal(upstream.calls.length, 2)
  t.equal(turns.length, 1)
  t.match(turns, [{ seq: 1, attempt: 2, status: 'completed', assistant_text: 'Hello world' }])
})
