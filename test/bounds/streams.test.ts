import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { eventually, gate } from '../helper/endings.ts'
import { rawChat } from '../helper/raw-client.ts'
import { isErrorReply, type RequestOptions, request } from '../helper/request.ts'
import { DONE, delta, finish, plainAnswer, sendJson, startSse, startUpstream } from '../helper/upstream.ts'

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
const OF_SESSION = { code: 'rate_limit_exceeded', message: /MAX_STREAMS_PER_SESSION/ }
const OF_PROCESS = { code: 'server_busy', message: /MAX_STREAMS\)/ }

/** An upstream whose answers wait for `go`. */
async function start(t: Test, settings: Record<string, string>) {
  const go = gate()
  const upstream = await startUpstream(t, async (res, call, req) => {
    await go.opened
    if (!res.destroyed) await plainAnswer(res, call, req)
  })
  const running = await startApp(t, { AUTH: 'header', OPENAI_BASE_URL: upstream.url, ...settings })
  const ask = (session: string, body: object = {}, options: RequestOptions = {}) =>
    request(`${running.url}/v1/chat/completions`, {
      body: { ...CHAT, ...body },
      headers: { 'x-session-id': session, ...options.headers }
    })
  const heard = (count: number) => eventually(`${count} calls`, () => upstream.calls.length === count)
  return { ...running, upstream, ask, heard, go: go.open }
}

t.test('a session has so many answers under way; the next is a 429 and costs nothing', async (t) => {
  const { app, ask, heard, go, upstream, url } = await start(t, { MAX_STREAMS_PER_SESSION: '2' })
  const running = [ask('alice', { stream: true }), ask('alice')]
  await heard(2)
  const { writes } = app.store.counters
  t.match(app.streams, { open: 2, sessions: 1 })

  isErrorReply(t, await ask('alice'), 429, OF_SESSION, 'a third')
  for (const path of ['responses', 'embeddings', 'models']) {
    const body = path === 'models' ? undefined : { model: 'm', input: 'x' }
    const res = await request(`${url}/v1/${path}`, { body, headers: { 'x-session-id': 'alice' } })
    isErrorReply(t, res, 429, OF_SESSION, path)
    t.equal(res.headers.get('retry-after'), '1')
  }
  t.equal(app.store.counters.writes, writes, 'nothing is stored')
  t.equal(upstream.calls.length, 2, 'the upstream heard nothing')
  const list = await request(`${url}/v1/conversations`, { headers: { 'x-session-id': 'alice' } })
  t.equal(list.status, 200, 'reading is no answer')

  const other = ask('bob')
  await heard(3)
  go()
  for (const { status } of await Promise.all([...running, other])) t.equal(status, 200)
  t.equal((await ask('alice')).status, 200, 'their places are free again')
  t.match(app.streams, { open: 0, sessions: 0 })
})

t.test('a process has so many answers under way; the next is a 503, for any session', async (t) => {
  const { ask, heard, go, upstream } = await start(t, { MAX_STREAMS: '2' })
  const running = [ask('alice'), ask('bob')]
  await heard(2)
  for (const session of ['alice', 'carol']) {
    const res = await ask(session)
    isErrorReply(t, res, 503, OF_PROCESS, session)
    t.equal(res.headers.get('retry-after'), '1')
  }
  t.equal(upstream.calls.length, 2)
  go()
  for (const { status } of await Promise.all(running)) t.equal(status, 200)
  t.equal((await ask('carol')).status, 200)
})

t.test('0 is no limit', async (t) => {
  const { app, ask, heard, go } = await start(t, { MAX_STREAMS: '0', MAX_STREAMS_PER_SESSION: '0' })
  const running = Array.from({ length: 120 }, () => ask('alice', { store: false }))
  await heard(120)
  t.match(app.streams, { open: 120, sessions: 1 })
  go()
  t.same([...new Set((await Promise.all(running)).map(({ status }) => status))], [200])
})

/** Every way to end, or not to begin, with one place only: the next request must find it free. */
const endings: Record<string, (s: Awaited<ReturnType<typeof start>>, t: Test) => Promise<unknown>> = {
  'a whole answer': ({ ask }) => ask('alice', { stream: true }),
  'an error of the upstream': ({ ask, upstream }) => {
    upstream.script = (res) => sendJson(res, 500, { error: {} })
    return ask('alice')
  },
  'an upstream that breaks off': ({ ask, upstream }) => {
    upstream.script = (res) => {
      startSse(res)
      res.write(delta({ content: 'x' }), () => res.destroy())
    }
    return ask('alice', { stream: true })
  },
  'an upstream that is silent': ({ ask, upstream }) => {
    upstream.script = () => {}
    return ask('alice')
  },
  'a client that leaves': async ({ url, upstream, heard, app }, t) => {
    upstream.script = startSse
    const client = await rawChat(t, url, { stream: true }, { 'x-session-id': 'alice' })
    await heard(1)
    client.socket.destroy()
    await eventually('the place is free', () => app.streams.open === 0)
  },
  'a replay of an idempotency key': async ({ ask }) => {
    const options = { headers: { 'idempotency-key': 'k' } }
    await ask('alice', {}, options)
    const again = await ask('alice', {}, options)
    t.equal(again.headers.get('idempotent-replayed'), 'true')
  },
  'a key that was used for another request': async ({ ask }) => {
    const options = { headers: { 'idempotency-key': 'k' } }
    await ask('alice', {}, options)
    t.equal((await ask('alice', { n: 2 }, options)).status, 422)
  },
  'an unknown conversation': async ({ ask }) => {
    t.equal((await ask('alice', { conversation: 'conv_none' })).status, 404)
  },
  'a bad body': async ({ ask }) => t.equal((await ask('alice', { messages: 1 })).status, 400),
  'a store that fails': async ({ ask, app }) => {
    await app.store.close()
    t.equal((await ask('alice')).status, 503)
  }
}

for (const [ending, play] of Object.entries(endings)) {
  t.test(`a place is given back after ${ending}`, async (t) => {
    const scene = await start(t, {
      MAX_STREAMS: '1',
      MAX_STREAMS_PER_SESSION: '1',
      UPSTREAM_HEADERS_TIMEOUT_MS: '200'
    })
    scene.go()
    await play(scene, t)
    await eventually('the place is free', () => scene.app.streams.open === 0)
    t.match(scene.app.streams, { open: 0, sessions: 0 })
    scene.upstream.script = (res) => {
      startSse(res)
      res.end(delta({ content: 'x' }) + finish() + DONE)
    }
    const res = await scene.ask('alice', { stream: true })
    t.notMatch(res.text, /MAX_STREAMS/)
    if (ending !== 'a store that fails') t.match(res.text, '[DONE]')
  })
}
