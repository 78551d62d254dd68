import t from 'tap'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'
import { sendJson, startUpstream } from '../helper/upstream.ts'

const MESSAGES = '"messages":[{"role":"user","content":"Hi"}]'

t.test("the upstream receives the client's own bytes, less what is ours", async (t) => {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  const cases: [name: string, sent: string, received: string][] = [
    ['plain', `{"model":"m",${MESSAGES}}`, `{"model":"m",${MESSAGES}}`],
    [
      'blanks, escapes, long numbers, unknown fields',
      ` {\n\t"model" : "\\u006d", "seed":12345678901234567890, "x":{"store":1,"y":[1.0,-0]}, ${MESSAGES}\r\n}\n`,
      ` {\n\t"model" : "\\u006d", "seed":12345678901234567890, "x":{"store":1,"y":[1.0,-0]}, ${MESSAGES}\r\n}\n`
    ],
    [
      'no type is converted',
      `{"model":"m","temperature":"1",${MESSAGES}}`,
      `{"model":"m","temperature":"1",${MESSAGES}}`
    ],
    ['store', `{"store":true,"model":"m",${MESSAGES}}`, `{"model":"m",${MESSAGES}}`],
    ['metadata', `{"model":"m","metadata":{"a":"}, \\" ]"},${MESSAGES}}`, `{"model":"m",${MESSAGES}}`],
    ['conversation_id', `{"model":"m",${MESSAGES},"conversation_id":"${id}"}`, `{"model":"m",${MESSAGES}}`],
    [
      'all of ours, once spelled with an escape',
      `{"metadata":null,"model":"m","st\\u006fre":null,${MESSAGES},"user":"u","conversation_id":null}`,
      `{"model":"m",${MESSAGES},"user":"u"}`
    ],
    ['a field twice', `{"store":true,"model":"m",${MESSAGES},"store":true}`, `{"model":"m",${MESSAGES}}`],
    [
      'names of ours inside of other fields',
      `{"model":"m",${MESSAGES},"tools":[{"store":true,"metadata":{}}],"store":true}`,
      `{"model":"m",${MESSAGES},"tools":[{"store":true,"metadata":{}}]}`
    ]
  ]
  for (const [name, sent, received] of cases) {
    const res = await request(`${url}/v1/chat/completions`, { body: sent })
    t.equal(res.status, 200, `${name}: status`)
    t.equal(upstream.calls.at(-1)?.body, received, name)
  }
})

t.test('DEFAULT_MODEL stands in where a request names none, and only there', async (t) => {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, DEFAULT_MODEL: 'house"model' })
  const modelOf = async (body: string) => {
    const res = await request(`${url}/v1/chat/completions`, { body })
    const conversation = await request(`${url}/v1/conversations/${res.headers.get('x-conversation-id')}`)
    return [JSON.parse(upstream.calls.at(-1)?.body ?? '').model, conversation.json.model]
  }
  t.same(await modelOf(`{${MESSAGES}}`), ['house"model', 'house"model'])
  t.same(await modelOf(`{"store":true,${MESSAGES}}`), ['house"model', 'house"model'])
  t.same(await modelOf(`{"model":"other",${MESSAGES}}`), ['other', 'other'])
})

t.test('without DEFAULT_MODEL a request that names no model goes on without one', async (t) => {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  await request(`${url}/v1/chat/completions`, { body: `{${MESSAGES}}` })
  t.equal(upstream.calls[0]?.body, `{${MESSAGES}}`)
})

const CLIENT_HEADERS: Record<string, string> = {
  accept: 'text/plain',
  'accept-language': 'no',
  authorization: 'Bearer the-clients-own',
  'api-key': 'k',
  cookie: 'session=secret',
  forwarded: 'for=1.2.3.4',
  'idempotency-key': 'abc',
  'openai-organization': 'org',
  'openai-project': 'project',
  origin: 'http://example.org',
  'proxy-authorization': 'Basic eA==',
  referer: 'http://example.org/',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'user-agent': 'a client',
  'x-conversation-id': '',
  'x-forwarded-for': '1.2.3.4',
  'x-on-disconnect': 'finish',
  'x-parent-seq': '0',
  'x-session-id': 'somebody',
  'x-stainless-retry-count': '1'
}

t.test('no header of the client reaches the upstream, and the configured key does', async (t) => {
  const upstream = await startUpstream(t, (res) =>
    sendJson(res, 200, { object: 'list', data: [], choices: [] })
  )
  const settings = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-ours', AUTH: 'header' }
  const { url } = await startApp(t, settings)
  const session = { 'x-session-id': 'somebody' }
  const { id } = (await request(`${url}/v1/conversations`, { body: {}, headers: session })).json
  const headers = { ...CLIENT_HEADERS, 'x-conversation-id': id }
  await request(`${url}/v1/chat/completions`, { body: `{"model":"m",${MESSAGES}}`, headers })
  await request(`${url}/v1/embeddings`, { body: { model: 'm', input: 'x' }, headers })
  await request(`${url}/v1/models`, { headers })
  t.equal(upstream.calls.length, 3)
  for (const call of upstream.calls) {
    const { connection, 'content-length': length, ...received } = call.headers
    t.same(
      received,
      {
        host: new URL(upstream.url).host,
        accept: 'application/json, text/event-stream',
        'accept-encoding': 'identity',
        authorization: 'Bearer sk-ours',
        'user-agent': 'turnkeeper',
        ...(call.method === 'POST' && { 'content-type': 'application/json' })
      },
      `${call.method} ${call.url}, connection: ${connection}`
    )
    t.equal(Number(length ?? 0), Buffer.byteLength(call.body))
  }
})

t.test('without a configured key the upstream gets no authorization', async (t) => {
  const upstream = await startUpstream(t)
  const { chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: undefined })
  await chat({}, { authorization: 'Bearer the-clients-own' })
  t.equal(upstream.calls[0]?.headers.authorization, undefined)
})

t.test("of the upstream's response headers a client gets those of OpenAI's that it may see", async (t) => {
  const passed = {
    'retry-after': '1',
    'x-request-id': 'req_1',
    'openai-processing-ms': '5',
    'x-ratelimit-remaining-requests': '9',
    'x-should-retry': 'false'
  }
  const upstream = await startUpstream(t, (res) => {
    const kept = {
      'set-cookie': 'a=b',
      server: 'nginx',
      'openai-organization': 'org',
      'x-turn-id': 'turn_fake'
    }
    res.writeHead(200, { 'content-type': 'application/json', ...passed, ...kept })
    res.end('{"choices":[]}')
  })
  const { chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const { headers } = await chat()
  for (const [name, value] of Object.entries(passed)) t.equal(headers.get(name), value, name)
  for (const name of ['set-cookie', 'server', 'openai-organization']) t.equal(headers.get(name), null, name)
  t.match(headers.get('x-turn-id'), /^turn_[0-9a-f]{32}$/)
})

t.test("the base URL's own path comes before the call's", async (t) => {
  const upstream = await startUpstream(t)
  for (const suffix of ['', '/']) {
    const { chat } = await startApp(t, { OPENAI_BASE_URL: `${upstream.url}/team${suffix}` })
    await chat()
    t.equal(upstream.calls.at(-1)?.url, '/v1/team/chat/completions')
  }
})
