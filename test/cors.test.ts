import t from 'tap'
import { startApp } from './helper/app.ts'
import { request } from './helper/request.ts'
import { startUpstream } from './helper/upstream.ts'

const SITE = 'https://chat.example.org'
const list = (value: string | null) => (value ?? '').toLowerCase().split(/, */)

const preflight = (url: string, origin: string, method: string, headers?: string) =>
  request(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      ...(headers && { 'access-control-request-headers': headers })
    }
  })

t.test('by default no origin is allowed', async (t) => {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const body = { messages: [{ role: 'user', content: 'x' }] }
  for (const res of [
    await request(`${url}/v1/conversations`, { headers: { origin: SITE } }),
    await request(`${url}/v1/chat/completions`, { headers: { origin: SITE }, body }),
    await preflight(`${url}/v1/conversations`, SITE, 'POST'),
    await preflight(`${url}/v1/conversations`, 'null', 'POST')
  ]) {
    t.same(
      [...res.headers.keys()].filter((name) => name.startsWith('access-control')),
      []
    )
  }
})

t.test('an origin is allowed when it is named, exactly', async (t) => {
  const { url } = await startApp(t, { ALLOWED_ORIGIN: `${SITE}, http://localhost:5173` })
  const allowed = async (origin: string) =>
    (await request(`${url}/v1/conversations`, { headers: { origin } })).headers.get(
      'access-control-allow-origin'
    )
  t.equal(await allowed(SITE), SITE)
  t.equal(await allowed('http://localhost:5173'), 'http://localhost:5173')
  const others = [
    'http://chat.example.org',
    'https://chat.example.org:444',
    'https://chat.example.org.evil.example',
    'https://evil-chat.example.org',
    'https://example.org',
    'http://localhost',
    'null',
    '*'
  ]
  for (const origin of others) t.equal(await allowed(origin), null, origin)
})

t.test('a browser may send what the API asks for, with every method that it has', async (t) => {
  const { url } = await startApp(t, { ALLOWED_ORIGIN: SITE, AUTH: 'header' })
  const headers = ['content-type', 'x-session-id', 'x-conversation-id', 'x-parent-seq', 'x-on-disconnect']
  const uses: [path: string, method: string][] = [
    ['/v1/chat/completions', 'POST'],
    ['/v1/conversations', 'GET'],
    ['/v1/conversations/conv_1', 'DELETE']
  ]
  for (const [path, method] of uses) {
    const res = await preflight(url + path, SITE, method, headers.join(', '))
    t.ok(res.status === 204 || res.status === 200, 'a preflight carries no session and needs none')
    t.equal(res.headers.get('access-control-allow-origin'), SITE)
    t.ok(list(res.headers.get('access-control-allow-methods')).includes(method.toLowerCase()), method)
    const allowed = list(res.headers.get('access-control-allow-headers'))
    t.same(
      headers.filter((name) => !allowed.includes(name)),
      []
    )
  }
})

t.test('a browser may read our headers, on streams, JSON and errors', async (t) => {
  const upstream = await startUpstream(t)
  const { chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url, ALLOWED_ORIGIN: SITE })
  for (const body of [{ stream: true }, {}, { messages: [] }]) {
    const res = await chat(body, { origin: SITE })
    await res.text()
    t.equal(res.headers.get('access-control-allow-origin'), SITE)
    t.match(res.headers.get('vary'), /origin/i)
    const exposed = list(res.headers.get('access-control-expose-headers'))
    for (const name of ['x-conversation-id', 'x-turn-id', 'x-turn-seq']) t.ok(exposed.includes(name), name)
  }
})
