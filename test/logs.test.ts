import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { buildApp } from '../app.ts'
import { loadConfig } from '../config.ts'
import { tempFolder } from './helper/app.ts'
import { eventually } from './helper/endings.ts'
import { request } from './helper/request.ts'
import { startServer } from './helper/server-process.ts'
import { delta, startSse, startUpstream } from './helper/upstream.ts'

/** What must never stand in a log; each is spelled so that nothing else can contain it. */
const SECRET = {
  key: 'sk-KEYKEYKEY',
  session: 'SESSIONSESSION',
  prompt: 'PROMPTPROMPT',
  answer: 'ANSWERANSWER',
  title: 'TITLETITLE',
  query: 'QUERYQUERY',
  cookie: 'COOKIECOOKIE'
}

/** The service with a log of every level in memory. */
async function loggingApp(t: Test, settings: Record<string, string>) {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    }
  })
  const config = loadConfig({ DB_URL: `sqlite:${tempFolder(t)}/test.db`, PORT: '0', ...settings })
  const app = await buildApp(config, { level: 'trace', stream })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const lines = () =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  return {
    app,
    url,
    text: () => text,
    lines,
    requests: () => lines().filter((line) => line.msg === 'request')
  }
}

t.test('logs say what happened and never what was said or who said it', async (t) => {
  const broken = { message: SECRET.answer, type: 'server_error' }
  const upstream = await startUpstream(t, (res, call) => {
    if (call.body.includes('"error')) return void res.writeHead(500).end(JSON.stringify({ error: broken }))
    if (call.body.includes('"refuse')) return void res.writeHead(401).end(`{"error":"${SECRET.key}"}`)
    if (call.body.includes('"nonsense')) return void res.writeHead(200).end(SECRET.answer)
    startSse(res)
    res.write(delta({ content: SECRET.answer }))
    if (call.body.includes('"cut')) return void res.destroy()
    if (call.body.includes('"event')) return void res.end(`data: ${JSON.stringify({ error: broken })}\n\n`)
    res.end('data: [DONE]\n\n')
  })
  const { app, url, text, requests } = await loggingApp(t, {
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: SECRET.key,
    AUTH: 'header'
  })
  const headers = {
    'x-session-id': SECRET.session,
    authorization: `Bearer ${SECRET.key}`,
    cookie: `a=${SECRET.cookie}`
  }
  let sent = 0
  const call = async (path: string, body?: unknown, more: Record<string, string> = {}) => {
    sent += 1
    return await request(url + path, {
      headers: { ...headers, ...more },
      ...(body !== undefined && { body })
    }).catch(() => undefined)
  }
  for (const kind of ['plain', 'error', 'refuse', 'nonsense', 'cut', 'event']) {
    const messages = [{ role: 'user', content: SECRET.prompt }]
    await call('/v1/chat/completions', { user: kind, stream: true, messages })
  }
  await call('/v1/chat/completions', `{"messages":"${SECRET.prompt}"}`)
  await call('/v1/chat/completions', `{"messages":${SECRET.prompt}`)
  await call('/v1/chat/completions', { messages: [{ role: 'user', content: [SECRET.prompt] }], n: 'x' })
  await call('/v1/conversations', { title: SECRET.title, metadata: { a: SECRET.title } })
  await call('/v1/conversations', { [SECRET.title]: SECRET.title })
  await call(`/v1/conversations?q=${SECRET.query}`)
  await call(`/v1/none/${SECRET.query}?a=${SECRET.query}`)
  await call(`/v1/models?a=${SECRET.query}`)
  await call('/v1/conversations', undefined, { 'x-session-id': `${SECRET.session} ${SECRET.session}` })
  await call('/livez')
  await app.store.close()
  await call('/v1/chat/completions', { messages: [{ role: 'user', content: SECRET.prompt }] })
  await call('/readyz')

  t.equal(requests().length, sent, 'one line a request')
  for (const [what, secret] of Object.entries(SECRET)) t.notOk(text().includes(secret), `no ${what}`)
  t.ok(text().includes('STORE_UNAVAILABLE'), 'the cause of the 503 is there')
})

t.test('a request line says the method, route, status, duration and turn', async (t) => {
  const upstream = await startUpstream(t)
  const { url, requests } = await loggingApp(t, { OPENAI_BASE_URL: upstream.url })
  const body = { messages: [{ role: 'user', content: 'x' }] }
  for (const stream of [true, false]) {
    const res = await request(`${url}/v1/chat/completions`, { body: { ...body, stream } })
    t.match(requests().at(-1), {
      msg: 'request',
      level: 30,
      method: 'POST',
      route: '/v1/chat/completions',
      status: 200,
      ms: Number,
      turn: res.headers.get('x-turn-id')
    })
  }
  await request(`${url}/v1/conversations?limit=0`)
  t.match(requests().at(-1), { method: 'GET', route: '/v1/conversations', status: 400 })
  await request(`${url}/v1/conversations/conv_${'0'.repeat(32)}`)
  t.match(requests().at(-1), { method: 'GET', route: '/v1/conversations/:id', status: 404 })
  await request(`${url}/none`)
  t.match(requests().at(-1), { method: 'GET', status: 404 })
  t.equal(requests().at(-1)?.url, undefined)
})

t.test('a request whose client left has its line too', async (t) => {
  const upstream = await startUpstream(t, (res) => {
    startSse(res)
    res.write(delta({ content: 'Hello' }))
  })
  const { url, requests } = await loggingApp(t, { OPENAI_BASE_URL: upstream.url })
  const leaving = new AbortController()
  const body = JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Hi' }] })
  const headers = { 'content-type': 'application/json' }
  const res = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body,
    signal: leaving.signal
  })
  leaving.abort()
  await eventually('the line', () => requests().length > 0)
  t.match(requests(), [{ route: '/v1/chat/completions', aborted: true, turn: res.headers.get('x-turn-id') }])
})

t.test('a server process prints nothing but JSON lines on stdout, down to its end', async (t) => {
  const upstream = await startUpstream(t)
  const { kill, output, url, exited } = await startServer(t, {
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: SECRET.key,
    LOG_LEVEL: 'trace'
  })
  const messages = [{ role: 'user', content: SECRET.prompt }]
  for (const stream of [true, false]) {
    t.equal((await request(`${url}/v1/chat/completions`, { body: { messages, stream } })).status, 200)
  }
  kill('SIGTERM')
  t.equal((await exited).code, 0)
  const lines = output.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.equal(lines.filter((line) => line.msg === 'request').length, 2)
  t.ok(
    lines.some((line) => line.msg === 'stopping' && line.signal === 'SIGTERM'),
    'it says why it stops'
  )
  t.notMatch(output.stdout + output.stderr, new RegExp(`${SECRET.key}|${SECRET.prompt}|Hello world`))
})
