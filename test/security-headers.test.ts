import t, { type Test } from 'tap'
import { startApp } from './helper/app.ts'
import { request, sendRaw } from './helper/request.ts'
import { plainAnswer, sendJson, startUpstream } from './helper/upstream.ts'

const ALWAYS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}
/** What would make a promise for other hosts and ports, or names what runs here. */
const NEVER = ['strict-transport-security', 'server', 'x-powered-by', 'set-cookie']
const SITE = 'https://chat.example.org'

type Given = Record<string, string | undefined>

function hasHeaders(t: Test, given: Given, name: string): void {
  for (const [header, value] of Object.entries(ALWAYS)) t.equal(given[header], value, `${name}: ${header}`)
  for (const header of NEVER) t.equal(given[header], undefined, `${name}: no ${header}`)
}

function headersIn(raw: string): Given {
  const [head = ''] = raw.split('\r\n\r\n')
  const lines = head.split('\r\n').slice(1)
  return Object.fromEntries(lines.map((line) => line.split(/: (.*)/, 2).map((part) => part.toLowerCase())))
}

t.test('every answer tells browsers to run nothing of it', async (t) => {
  const upstream = await startUpstream(t)
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const body = { messages: [{ role: 'user', content: 'Hi' }] }
  const first = await chat()
  await first.text()
  const id = first.headers.get('x-conversation-id')
  const key = { 'idempotency-key': 'k' }
  await (await chat({}, key)).text()
  const cases: [name: string, status: number, answer: Promise<{ status: number; headers: Headers }>][] = [
    ['chat JSON', 200, request(`${url}/v1/chat/completions`, { body })],
    ['chat SSE', 200, request(`${url}/v1/chat/completions`, { body: { ...body, stream: true } })],
    ['replayed', 200, chat({}, key)],
    ['list', 200, request(`${url}/v1/conversations`)],
    ['turns', 200, request(`${url}/v1/conversations/${id}/turns`)],
    ['invalid', 400, request(`${url}/v1/chat/completions`, { body: {} })],
    ['not JSON', 400, request(`${url}/v1/chat/completions`, { body: '{' })],
    ['unknown id', 404, request(`${url}/v1/conversations/none`)],
    ['unknown path', 404, request(`${url}/none`)],
    ['unknown path of the API', 404, request(`${url}/v1/none`)],
    ['bad URL', 400, request(`${url}/v1/conversations/%ff`)],
    ['unknown method', 404, request(`${url}/v1/conversations`, { method: 'PUT' })],
    ['/livez', 200, request(`${url}/livez`)],
    ['/livez by HEAD', 200, request(`${url}/livez`, { method: 'HEAD' })]
  ]
  for (const [name, status, answer] of cases) {
    const res = await answer
    t.equal(res.status, status, name)
    hasHeaders(t, Object.fromEntries(res.headers), name)
  }
})

t.test('errors of the upstream and what is passed through have them too', async (t) => {
  const upstream = await startUpstream(t, (res) => {
    res.setHeader('content-security-policy', "script-src *'")
    res.setHeader('x-frame-options', 'ALLOWALL')
    sendJson(res, 429, { error: { message: 'slow down', type: 'x', param: null, code: null } })
  })
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  for (const res of [await chat(), await chat({ stream: true }), await fetch(`${url}/v1/models`)]) {
    t.equal(res.status, 429)
    hasHeaders(t, Object.fromEntries(res.headers), res.url)
    await res.text()
  }
})

t.test('what cannot be read as HTTP gets them with its error', async (t) => {
  const { url } = await startApp(t, { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })
  for (const bytes of ['GARBAGE\r\n\r\n', 'GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n']) {
    const answer = await sendRaw(url, bytes)
    t.match(answer, /^HTTP\/1\.1 400 /)
    const given = headersIn(answer)
    t.match(given['content-type'], 'application/json')
    for (const [header, value] of Object.entries(ALWAYS)) t.equal(given[header], value.toLowerCase(), header)
  }
})

t.test('what people have said is kept by no cache', async (t) => {
  const upstream = await startUpstream(t)
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url, AUTH: 'header' })
  const session = { 'x-session-id': 'anne' }
  upstream.script = (res, call, req) =>
    call.method === 'GET' ? sendJson(res, 200, { data: [] }) : plainAnswer(res, call, req)
  const answers = [
    await request(`${url}/v1/conversations`, { headers: session }),
    await request(`${url}/v1/conversations`),
    await request(`${url}/v1/conversations/none`, { headers: session }),
    await request(`${url}/v1/models`, { headers: session }),
    await chat({}, session)
  ]
  t.same(
    answers.map(({ status }) => status),
    [200, 401, 404, 200, 200]
  )
  for (const { status, headers } of answers)
    t.match(headers.get('cache-control'), /\bno-store\b/, `${status}`)
})

t.test('a page that ALLOWED_ORIGIN names may read answers with these headers', async (t) => {
  const upstream = await startUpstream(t)
  const { chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url, ALLOWED_ORIGIN: SITE })
  for (const body of [{}, { stream: true }, { messages: [] }]) {
    const res = await chat(body, { origin: SITE })
    await res.text()
    hasHeaders(t, Object.fromEntries(res.headers), `${res.status}`)
    t.equal(res.headers.get('access-control-allow-origin'), SITE, 'so its resource policy does not count')
  }
})
