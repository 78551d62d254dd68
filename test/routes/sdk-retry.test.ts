import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { gate } from '../helper/endings.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { ALICE, BOB, startStateful, told } from '../helper/stateful.ts'
import { delta, sendJson, startSse, type UpstreamScript } from '../helper/upstream.ts'

const RETRY = { 'x-stainless-retry-count': '1' }
const MESSAGES = [{ role: 'user' as const, content: 'Hi' }]

/** The service behind the official SDK that tries again once, and an upstream whose first answer is `failure`. */
async function failingOnce(t: Test, failure: UpstreamScript, settings: Record<string, string> = {}) {
  const service = await startStateful(t, settings)
  const { upstream, url } = service
  const { script } = upstream
  upstream.script = (...args) => (upstream.calls.length === 1 ? failure(...args) : script(...args))
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 1 })
  return { ...service, client, script }
}

const refuse =
  (status: number): UpstreamScript =>
  (res) => {
    res.writeHead(status, { 'content-type': 'application/json', 'retry-after-ms': '1' })
    res.end('{"error":{"message":"not now"}}')
  }
const FAILURES: Record<string, UpstreamScript> = {
  '429': refuse(429),
  '500': refuse(500),
  '503': refuse(503),
  'a cut before the first byte': (res) => void res.destroy(),
  'a cut inside of the JSON': (res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
    res.write('{"choi', () => res.destroy())
  }
}

for (const [driver, makePlace] of Object.entries(DRIVERS)) {
  for (const [name, failure] of Object.entries(FAILURES).slice(0, driver === 'sqlite' ? undefined : 1)) {
    t.test(`${driver}: what the SDK tries again lands on the same turn: ${name}`, async (t) => {
      const service = await failingOnce(t, failure, { DB_URL: await makePlace(t) })
      const { client, create, turnsOf, upstream, call } = service
      const conversation = await create()
      const chat = client.chat.completions.create({ model: 'm', messages: MESSAGES, conversation } as never)
      t.equal((await chat).choices[0]?.message.content, 're: Hi')
      t.equal(upstream.calls.length, 2)
      const turns = await turnsOf(conversation)
      t.equal(turns.length, 1)
      t.match(turns, [
        { seq: 1, attempt: 2, status: 'completed', error: null, assistant_text: 're: Hi', user_text: 'Hi' }
      ])
      t.equal((await call('/conversations')).json.data.length, 1)
    })
  }
}

t.test('without a conversation of its own the second attempt makes no second one', async (t) => {
  const { client, call, turnsOf } = await failingOnce(t, refuse(500))
  await client.chat.completions.create({ model: 'm', messages: MESSAGES })
  const { data } = (await call('/conversations')).json
  t.equal(data.length, 1)
  t.match(await turnsOf(data[0].id), [{ attempt: 2 }])
})

t.test('responses are tried again in the same way, and streams', async (t) => {
  const plain = await failingOnce(t, refuse(500))
  const response = await plain.client.responses.create({ model: 'm', input: 'Hi' })
  t.equal(response.output_text, 're: Hi')
  const { data } = (await plain.call('/conversations')).json
  t.match(await plain.turnsOf(data[0].id), [{ attempt: 2, kind: 'response', status: 'completed' }])

  const streamed = await failingOnce(t, refuse(429))
  const stream = streamed.client.chat.completions.stream({ model: 'm', messages: MESSAGES })
  t.equal((await stream.finalChatCompletion()).choices[0]?.message.content, 're: Hi')
  t.equal((await streamed.call('/conversations')).json.data.length, 1)
})

t.test('when every attempt fails, the turn says so once', async (t) => {
  const { url, upstream, call, turnsOf } = await startStateful(t, {}, refuse(429))
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 2 })
  const err = await client.chat.completions
    .create({ model: 'm', messages: MESSAGES })
    .catch((thrown) => thrown)
  t.ok(err instanceof OpenAI.RateLimitError)
  t.equal(upstream.calls.length, 3)
  const { data } = (await call('/conversations')).json
  t.match(
    [data.length, await turnsOf(data[0].id)],
    [1, [{ attempt: 3, status: 'failed', error: 'upstream_error' }]]
  )
})

t.test('a stream that broke off and is asked for again lands on the same turn', async (t) => {
  const { chat, upstream, script, turnsOf } = await failingOnce(t, (res) => {
    startSse(res)
    res.end(delta({ content: 'ha' }))
  })
  const first = await chat({ stream: true })
  await first.text()
  upstream.script = script
  const again = await chat({ stream: true }, RETRY)
  await again.text()
  t.equal(again.headers.get('x-turn-id'), first.headers.get('x-turn-id'))
  t.match(await turnsOf(again.headers.get('x-conversation-id') ?? ''), [
    { attempt: 2, assistant_text: 're: Hi', error: null }
  ])
})

t.test(
  'only an attempt to repeat is one: same session, same body, marked, not completed, not keyed, not long ago',
  async (t) => {
    const { app, call, upstream } = await startStateful(t, { AUTH: 'header' })
    const { script } = upstream
    const { beginTurn } = app.store
    let agedMs = 0
    app.store.beginTurn = (turn) => beginTurn.call(app.store, { ...turn, createdAt: turn.createdAt - agedMs })
    const ask = async (body: object, headers: Record<string, string>) => {
      const full = { model: 'm', messages: MESSAGES, ...body }
      return (await call('/chat/completions', { body: full, headers: { ...ALICE, ...headers } })).headers.get(
        'x-turn-id'
      )
    }
    const failing = async (text: string, headers = {}) => {
      upstream.script = (res) => sendJson(res, 500, { error: { message: 'no' } })
      const id = await ask({ user: text }, headers)
      upstream.script = script
      return id
    }
    t.ok(await ask({ user: 'alone' }, RETRY), 'nothing to repeat')
    t.not(await ask({ user: 'done' }, {}), await ask({ user: 'done' }, RETRY), 'one that completed')
    t.not(await failing('unmarked'), await ask({ user: 'unmarked' }, {}), 'no mark')
    t.not(
      await failing('zero'),
      await ask({ user: 'zero' }, { 'x-stainless-retry-count': '0' }),
      'the first attempt'
    )
    t.not(await failing('session'), await ask({ user: 'session' }, { ...RETRY, ...BOB }), 'another session')
    t.not(await failing('body'), await ask({ user: 'body', seed: 1 }, RETRY), 'another body')
    t.not(
      await failing('keyed', { 'idempotency-key': 'k' }),
      await ask({ user: 'keyed' }, RETRY),
      'one with a key'
    )
    agedMs = 121_000
    const old = await failing('old')
    agedMs = 0
    t.not(old, await ask({ user: 'old' }, RETRY), 'two minutes ago')
    agedMs = 100_000
    const young = await failing('young')
    agedMs = 0
    t.equal(young, await ask({ user: 'young' }, RETRY), 'a little less')
    const [first, second] = [await failing('twice'), await failing('twice')]
    t.not(first, second)
    t.equal(await ask({ user: 'twice' }, RETRY), second, 'of two the newest')
  }
)

t.test('an attempt that still runs is not taken over', async (t) => {
  const { chat, upstream, call } = await startStateful(t)
  const { script } = upstream
  const { open, opened } = gate()
  const { open: arrive, opened: arrived } = gate()
  upstream.script = async (...args) => {
    arrive()
    await opened
    await script(...args)
  }
  const first = chat()
  await arrived
  upstream.script = script
  const second = await chat({}, RETRY)
  open()
  t.not((await first).headers.get('x-turn-id'), second.headers.get('x-turn-id'))
  t.equal((await call('/conversations')).json.data.length, 2)
})

t.test('in a conversation that goes on, the attempt is put behind what it followed', async (t) => {
  const { create, say, sent, turnsOf, upstream } = await startStateful(t)
  const id = await create()
  await say(id, 'One')
  const { script } = upstream
  upstream.script = (res) => sendJson(res, 500, { error: { message: 'no' } })
  await say(id, 'Two')
  upstream.script = script
  await say(id, 'Two', {}, RETRY)
  t.strictSame(told(sent().messages), ['user: One', 'assistant: re: One', 'user: Two'])
  t.match(await turnsOf(id), [{ seq: 1 }, { seq: 2, parent_seq: 1, attempt: 2, status: 'completed' }])
  t.equal((await turnsOf(id)).length, 2)
})
