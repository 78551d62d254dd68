import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createClient, TurnkeeperError } from '../../client/index.js'
import { allOf, failsWith, HI, startClient } from '../helper/client.ts'
import { delta, finish, sendJson, startSse } from '../helper/upstream.ts'

/** A client of what stands in front of a service, and answers in its place. */
async function inFront(t: Test, answer: http.RequestListener) {
  const server = http.createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return createClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` })
}

t.test('an error of the service has all of its fields', async (t) => {
  const { client } = await startClient(t)
  const error = await failsWith(t, client.chat.create({ messages: [] }), {
    status: 400,
    code: 'invalid_value',
    type: 'invalid_request_error',
    param: 'messages',
    retryAfterSeconds: null
  })
  t.ok(error instanceof Error)
  t.match(error.message, /messages/)
  t.match(error.stack, /TurnkeeperError/)
})

t.test('an error before the stream comes out of each part of it', async (t) => {
  const { client } = await startClient(t)
  const stream = client.chat.stream({ messages: [] })
  const expected = { status: 400, code: 'invalid_value' }
  await failsWith(t, stream.filed, expected)
  await failsWith(t, allOf(stream), expected)
  await failsWith(t, allOf(stream.chunks()), expected)
  await failsWith(t, stream.turn(), expected)
})

t.test('when the upstream fails, the turn that says so can be had', async (t) => {
  const { client } = await startClient(t, {
    script: (res) => {
      res.setHeader('retry-after', '7')
      sendJson(res, 429, { error: { message: 'Slow down.', type: 'requests', code: 'rate_limited' } })
    }
  })
  const stream = client.chat.stream({ messages: HI })
  const error = await failsWith(t, allOf(stream), { status: 429, code: 'rate_limited', type: 'requests' })
  t.match(error, { message: 'Slow down.', retryAfterSeconds: 7 })
  t.match(await stream.turn(), { status: 'failed', error: 'upstream_error', seq: 1 })
  t.match(await stream.filed, { seq: 1 }, 'a failed turn is kept, and has its place')
})

t.test('an error within the stream comes after the pieces before it', async (t) => {
  const { client } = await startClient(t, {
    script: (res) => {
      startSse(res)
      res.end(delta({ content: 'Hel' })) // the service says that this is not all
    }
  })
  const stream = client.chat.stream({ messages: HI })
  const pieces: string[] = []
  const read = async () => {
    for await (const piece of stream) pieces.push(piece)
  }
  await failsWith(t, read(), { status: 200, code: 'upstream_truncated', type: 'server_error' })
  t.strictSame(pieces, ['Hel'])
  t.match(await stream.filed, { seq: 1 })
  t.match(await stream.turn(), {
    status: 'incomplete',
    error: 'upstream_truncated',
    assistant_text: 'Hel'
  })
})

const EVENTS: [title: string, event: unknown, expected: Partial<TurnkeeperError>][] = [
  ['an object', { message: 'Overloaded.', code: 503 }, { message: 'Overloaded.', code: '503' }],
  ['a text', 'overloaded', { message: 'overloaded', code: null }],
  ['anything', 17, { message: 'The answer failed.', code: null }]
]
for (const [title, error, expected] of EVENTS) {
  t.test(`an error event that holds ${title}`, async (t) => {
    const client = await inFront(t, (_, res) => {
      startSse(res)
      res.end(`data: ${JSON.stringify({ error })}\n\n`)
    })
    await failsWith(t, allOf(client.chat.stream({ messages: HI })), { status: 200, ...expected })
  })
}

t.test('a stream that breaks off on the way says so', async (t) => {
  const ends: ((res: http.ServerResponse) => void)[] = [(res) => res.end(), (res) => res.destroy()]
  for (const end of ends) {
    const client = await inFront(t, (_, res) => {
      startSse(res)
      res.write(delta({ content: 'Hel' }), () => end(res))
    })
    const stream = client.chat.stream({ messages: HI })
    const { value } = await stream[Symbol.asyncIterator]().next()
    t.equal(value, 'Hel')
    const error = await failsWith(t, allOf(stream), { status: 200, code: 'stream_truncated' })
    t.equal(error.cause !== undefined, end === ends[1], 'the cause is kept where there is one')
    t.equal(await stream.turn(), null, 'nobody said where it is kept')
  }
  const whole = await inFront(t, (_, res) => {
    startSse(res)
    res.end(delta({ content: 'Hello' }) + finish())
  })
  t.strictSame(await allOf(whole.chat.stream({ messages: HI })), ['Hello'], 'a finish reason is an end')
})

t.test('an answer that does not come is a network error, and keeps its cause', async (t) => {
  const { client, app } = await startClient(t)
  await app.close()
  const expected = { status: 0, code: 'network_error', type: null, param: null }
  const error = await failsWith(t, client.conversations.get('conv_1'), expected)
  t.match(error.cause, { name: 'TypeError', message: 'fetch failed' })
  const stream = client.chat.stream({ messages: HI })
  for (const one of [stream.filed, allOf(stream), stream.turn()]) await failsWith(t, one, expected)
  const cut = await inFront(t, (_, res) => {
    res.writeHead(200, { 'content-length': '1000' }).write('{', () => res.destroy())
  })
  await failsWith(t, cut.models.list(), expected, 'a body that is cut')
})

const BODIES: [title: string, body: string, expected: Partial<TurnkeeperError>][] = [
  ['a page', '<html>Bad Gateway</html>', { message: 'Bad Gateway', code: null }],
  ['nothing', '', { message: 'Bad Gateway' }],
  ['a list', '[]', { message: 'Bad Gateway' }],
  ['null', '{"error":null}', { message: 'Bad Gateway' }],
  ['a text', '{"error":"busy"}', { message: 'busy', code: null }],
  [
    'other types',
    '{"error":{"message":1,"code":2,"param":3,"type":4}}',
    { message: 'Bad Gateway', code: '2', param: null }
  ]
]
for (const [title, body, expected] of BODIES) {
  t.test(`an error whose body is ${title}`, async (t) => {
    const client = await inFront(t, (_, res) => void res.writeHead(502).end(body))
    await failsWith(t, client.stats.get(), { status: 502, ...expected })
  })
}

t.test('a success that is no JSON is no answer', async (t) => {
  const client = await inFront(t, (_, res) => void res.writeHead(200).end('<html></html>'))
  const expected = { status: 200, code: 'unreadable_answer' }
  await failsWith(t, client.conversations.create(), expected)
  await failsWith(t, client.chat.create({ messages: HI }), expected)
  await failsWith(t, allOf(client.chat.stream({ messages: HI })), expected)
  const other = await inFront(t, (_, res) => void res.writeHead(200).end('{"models":[]}'))
  await failsWith(t, other.models.list(), expected)
})

t.test('when to try again is told in seconds', async (t) => {
  const soon = new Date(Date.now() + 60_000).toUTCString()
  const cases: [header: string, seconds: RegExp][] = [
    ['3', /^3$/],
    ['0.5', /^0\.5$/],
    ['-1', /^0$/],
    [soon, /^(5[0-9]|60)(\.\d+)?$/],
    ['Wed, 21 Oct 2015 07:28:00 GMT', /^0$/],
    ['soon', /^null$/]
  ]
  for (const [header, seconds] of cases) {
    const client = await inFront(t, (_, res) => void res.writeHead(503, { 'retry-after': header }).end())
    const error = await failsWith(t, client.metrics(), { status: 503 })
    t.match(String(error.retryAfterSeconds), seconds, header)
  }
})

t.test('a turn is asked for again while the service is away', async (t) => {
  const { client, app } = await startClient(t, {
    script: (res) => {
      startSse(res)
      res.end(delta({ content: 'Hel' }))
    }
  })
  const stream = client.chat.stream({ messages: HI })
  await stream.filed
  const { listTurns } = app.store
  let failures = 2
  app.store.listTurns = (...args) => {
    if (failures === 0) return listTurns(...args)
    failures -= 1
    return Promise.reject(new Error('for a moment'))
  }
  t.match(await stream.turn(), { status: 'incomplete', assistant_text: 'Hel' })
  t.equal(failures, 0)

  const gone = client.chat.stream({ messages: HI })
  await client.conversations.delete((await gone.filed)?.conversationId ?? '')
  await failsWith(t, gone.turn(), { status: 404, code: 'conversation_not_found' })
})

t.test('an error can be made by hand, for tests of an app', async (t) => {
  t.match(new TurnkeeperError('No.', { status: 404, code: 'turn_not_found' }), { status: 404, param: null })
  t.match(new TurnkeeperError('No.'), { message: 'No.', status: 0, code: null, retryAfterSeconds: null })
})
