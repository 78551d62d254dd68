import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { isErrorReply, type Reply, type RequestOptions, request } from '../helper/request.ts'
import { sendJson, startUpstream } from '../helper/upstream.ts'

const REFUSED = { code: 'rate_limit_exceeded', message: /RATE_LIMIT_PER_MINUTE/ }

async function limited(t: Test, settings: Record<string, string> = {}) {
  const upstream = await startUpstream(t)
  const running = await startApp(t, {
    AUTH: 'header',
    RATE_LIMIT_PER_MINUTE: '3',
    OPENAI_BASE_URL: upstream.url,
    ...settings
  })
  const call = (session: string, path = '/conversations', options: RequestOptions = {}) =>
    request(`${running.url}/v1${path}`, {
      ...options,
      headers: { 'x-session-id': session, ...options.headers }
    })
  return { ...running, upstream, call }
}

/** What an answer says of the limit, without the time, which passes. */
function told({ headers }: Reply): (string | null)[] {
  return ['limit', 'remaining'].map((name) => headers.get(`x-ratelimit-${name}-requests`))
}

t.test('a session has so many requests a minute, over all paths, and the next one is a 429', async (t) => {
  const { call, upstream, app } = await limited(t)
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
  t.same(told(await call('alice')), ['3', '2'])
  t.same(told(await call('alice', '/chat/completions', { body })), ['3', '1'])
  t.same(told(await call('alice', '/conversations/conv_none')), ['3', '0'], 'a 404 counts too')

  const writes = app.store.counters.writes
  for (const path of ['/chat/completions', '/responses', '/embeddings', '/conversations']) {
    const res = await call('alice', path, { body })
    isErrorReply(t, res, 429, REFUSED, path)
    t.same(told(res), ['3', '0'])
    const seconds = Number(res.headers.get('retry-after'))
    t.ok(seconds > 0 && seconds <= 60, `retry-after: ${seconds}`)
    t.equal(res.headers.get('x-ratelimit-reset-requests'), `${seconds}s`)
  }
  t.equal(upstream.calls.length, 1)
  t.equal(app.store.counters.writes, writes, 'nothing is written')
  t.same(told(await call('bob')), ['3', '2'], 'another session has its own')
})

t.test('who is nobody is not counted, and probes are not limited', async (t) => {
  const { call, url } = await limited(t)
  for (let i = 0; i < 5; i += 1) t.equal((await request(`${url}/v1/conversations`)).status, 401)
  for (let i = 0; i < 5; i += 1) t.equal((await request(`${url}/livez`)).status, 200)
  t.same(told(await call('alice')), ['3', '2'])
})

t.test('our own count comes before that of the upstream, which all sessions share', async (t) => {
  const headers = {
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-reset-requests': '8ms',
    'x-ratelimit-remaining-tokens': '777'
  }
  for (const [limit, seen] of [
    ['3', ['3', '2']],
    ['0', ['10000', '9999']]
  ] as const) {
    const { call, upstream } = await limited(t, { RATE_LIMIT_PER_MINUTE: limit })
    upstream.script = (res) => {
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
      sendJson(res, 200, { data: [] })
    }
    const res = await call('alice', '/models')
    t.same(told(res), seen, `RATE_LIMIT_PER_MINUTE=${limit}`)
    t.equal(res.headers.get('x-ratelimit-remaining-tokens'), '777')
  }
})

t.test('without a limit no answer speaks of one', async (t) => {
  const { call } = await limited(t, { RATE_LIMIT_PER_MINUTE: '0' })
  for (let i = 0; i < 10; i += 1) {
    const res = await call('alice')
    t.equal(res.status, 200)
    t.same(told(res), [null, null])
  }
})
