import t from 'tap'
import { loadConfig } from '../config.ts'
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
    'https://chat.example.org:443',
    'https://chat.example.org:444',
    'https://chat.example.org/',
    'https://chat.example.org.',
    'https://chat.example.org.evil.example',
    'https://evil.example/https://chat.example.org',
    'https://evilchat.example.org',
    'https://evil-chat.example.org',
    'https://chat.example.org@evil.example',
    'https://user@chat.example.org',
    'https://CHAT.example.org',
    'HTTPS://chat.example.org',
    'https://ch%61t.example.org',
    'https://ch\u00e4t.example.org',
    'https://xn--cht-pla.example.org',
    'https://example.org',
    'https://chat.example.org, http://localhost:5173',
    'http://localhost',
    'http://localhost:51730',
    'file://',
    'null',
    '',
    '*'
  ]
  for (const origin of others) t.equal(await allowed(origin), null, origin)
})

t.test(
  'never every origin, never with credentials, and caches keep the answers for origins apart',
  async (t) => {
    const upstream = await startUpstream(t)
    const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, ALLOWED_ORIGIN: SITE })
    const body = { messages: [{ role: 'user', content: 'x' }] }
    const answers = (headers: Record<string, string>) => [
      request(`${url}/v1/conversations`, { headers }),
      request(`${url}/v1/conversations/none`, { headers }),
      request(`${url}/v1/chat/completions`, { headers, body }),
      request(`${url}/v1/chat/completions`, { headers, body: { ...body, stream: true } }),
      request(`${url}/none`, { headers }),
      request(`${url}/livez`, { headers }),
      request(`${url}/docs/json`, { headers }),
      request(`${url}/v1/conversations`, { method: 'OPTIONS', headers })
    ]
    for (const headers of [{}, { origin: SITE }, { origin: 'https://evil.example' }, { origin: 'null' }]) {
      const expected = 'origin' in headers && headers.origin === SITE ? SITE : null
      for (const res of await Promise.all(answers(headers))) {
        t.equal(res.headers.get('access-control-allow-origin'), expected)
        t.ok(res.status < 400 || res.json.error.code, 'what is refused is refused in the error shape')
        t.equal(res.headers.get('access-control-allow-credentials'), null)
        t.ok(list(res.headers.get('vary')).includes('origin'))
      }
    }
  }
)

t.test(
  'a preflight is answered without a credential, whatever it asks for, and known for ten minutes',
  async (t) => {
    const { url } = await startApp(t, { ALLOWED_ORIGIN: SITE, AUTH: 'key' })
    const asks: [method: string, headers: string][] = [
      ['POST', 'authorization, content-type, idempotency-key, x-conversation-id, x-stainless-retry-count'],
      ['DELETE', 'AUTHORIZATION'],
      ['TRACE', 'x-odd, x-odd, *'],
      ['\u00e9', 'a'.repeat(4_000)],
      ['PROPFIND', '__proto__']
    ]
    for (const [method, headers] of asks) {
      const res = await preflight(`${url}/v1/conversations`, SITE, encodeURIComponent(method), headers)
      t.equal(res.status, 204, method)
      t.equal(res.text, '')
      t.equal(res.headers.get('access-control-max-age'), '600')
      t.equal(
        res.headers.get('access-control-allow-methods'),
        'GET, HEAD, POST, DELETE',
        'never more methods'
      )
      t.equal(res.headers.get('access-control-allow-headers'), headers)
      t.ok(list(res.headers.get('vary')).includes('access-control-request-headers'))
      const foreign = await preflight(`${url}/v1/conversations`, 'https://evil.example', 'POST', headers)
      t.equal(foreign.headers.get('access-control-allow-origin'), null)
    }
  }
)

t.test('an ALLOWED_ORIGIN that no browser would ever send stops the start', async (t) => {
  const wrong = [
    '*',
    'null',
    'chat.example.org',
    `${SITE}/`,
    `${SITE}/chat`,
    `${SITE}?x`,
    `${SITE},`,
    `${SITE},,http://localhost:5173`,
    `${SITE} http://localhost:5173`,
    ',',
    ' ',
    'https://*.example.org',
    'https://user@chat.example.org',
    'https://Chat.example.org',
    'https://chat.example.org:443',
    'http://chat.example.org:80',
    'https://ch\u00e4t.example.org',
    'https://chat.example.org:99999',
    'https://',
    'https:chat.example.org',
    'app://Obsidian/',
    'javascript:alert(1)'
  ]
  for (const value of wrong) {
    t.throws(
      () => loadConfig({ ALLOWED_ORIGIN: value }),
      { name: 'ConfigError', message: /^ALLOWED_ORIGIN: / },
      value
    )
  }
  t.throws(() => loadConfig({ ALLOWED_ORIGIN: 'https://secret.example/' }), { message: /^(?!.*secret)/ })
  const right = [
    SITE,
    `${SITE} , http://[::1]:5173`,
    'capacitor://localhost',
    'https://xn--cht-pla.example.org'
  ]
  for (const value of right) t.equal(loadConfig({ ALLOWED_ORIGIN: value }).ALLOWED_ORIGIN, value)
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
