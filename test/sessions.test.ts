import t, { type Test } from 'tap'
import { startApp } from './helper/app.ts'
import { isErrorReply, type Reply, type RequestOptions, request, sendRaw } from './helper/request.ts'
import { startUpstream } from './helper/upstream.ts'

const ANNE = { 'x-session-id': 'anne' }
const BOB = { 'x-session-id': 'bob' }
const MESSAGES = [{ role: 'user', content: 'Hi' }]

/** Two sessions; Anne has a conversation of one turn, and had another. */
async function twoSessions(t: Test) {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, AUTH: 'header' })
  const call = (path: string, options: RequestOptions = {}) => request(`${url}/v1${path}`, options)
  const create = async (headers: Record<string, string>): Promise<string> =>
    (await call('/conversations', { body: { title: 'mine' }, headers })).json.id
  const foreign = await create(ANNE)
  await call('/chat/completions', {
    body: { messages: MESSAGES },
    headers: { ...ANNE, 'x-conversation-id': foreign }
  })
  const deleted = await create(BOB)
  await call(`/conversations/${deleted}`, { method: 'DELETE', headers: BOB })
  return { upstream, url, call, create, foreign, deleted }
}

t.test('without a usable x-session-id every call is a 401', async (t) => {
  const { upstream, url, call, foreign } = await twoSessions(t)
  const calls = upstream.calls.length
  const routes: [path: string, options: RequestOptions][] = [
    ['/chat/completions', { body: { messages: MESSAGES } }],
    ['/models', {}],
    ['/models/m', {}],
    ['/embeddings', { body: {} }],
    ['/conversations', { body: {} }],
    ['/conversations', {}],
    [`/conversations/${foreign}`, {}],
    [`/conversations/${foreign}`, { body: { title: 'x' } }],
    [`/conversations/${foreign}`, { method: 'DELETE' }],
    [`/conversations/${foreign}/turns`, {}]
  ]
  const unusable = [undefined, '', 'a b', 'a\tb', 'é', 'x'.repeat(257)]
  for (const [path, options] of routes) {
    for (const id of unusable) {
      const headers = id === undefined ? {} : { 'x-session-id': id }
      const name = `${options.method ?? (options.body ? 'POST' : 'GET')} ${path} as ${id?.slice(0, 5)}`
      const res = await call(path, { ...options, headers })
      isErrorReply(t, res, 401, { code: 'session_required', param: 'x-session-id' }, name)
    }
  }
  const twice =
    'GET /v1/conversations HTTP/1.1\r\nhost: localhost\r\nx-session-id: anne\r\nx-session-id: bob\r\n'
  t.match(await sendRaw(url, `${twice}connection: close\r\n\r\n`), /^HTTP\/1\.1 401 /, 'two at once')
  t.equal(upstream.calls.length, calls)
})

t.test('any visible characters will do as a session, and probes need none', async (t) => {
  const { url, call } = await twoSessions(t)
  for (const id of ['a', "o'brien;--", 'urn:x:1/2%20"\\', '__proto__', 'x'.repeat(256)]) {
    const headers = { 'x-session-id': id }
    const created = await call('/conversations', { body: {}, headers })
    const listed = await call('/conversations', { headers })
    t.equal(listed.json.first_id, created.json.id)
    t.equal(listed.json.data.length, 1)
  }
  for (const path of ['/livez', '/readyz']) t.equal((await request(url + path)).status, 200)
})

/** Every way in which a request can name a conversation. */
const CARRIERS: Record<string, (id: string) => [path: string, options: RequestOptions]> = {
  retrieve: (id) => [`/conversations/${id}`, {}],
  update: (id) => [`/conversations/${id}`, { body: { title: 'taken', pinned: true, metadata: { a: 'b' } } }],
  delete: (id) => [`/conversations/${id}`, { method: 'DELETE' }],
  turns: (id) => [`/conversations/${id}/turns?include=superseded`, {}]
}
for (const extra of [{}, { stream: true }, { store: false }, { store: false, stream: true }]) {
  const body = { messages: MESSAGES, ...extra }
  const name = `chat ${JSON.stringify(extra)}`
  const at = '/chat/completions'
  CARRIERS[`${name} by header`] = (id) => [at, { body, headers: { 'x-conversation-id': id } }]
  CARRIERS[`${name} by body`] = (id) => [at, { body: { ...body, conversation_id: id } }]
  CARRIERS[`${name} by both, after turn 1`] = (id) => [
    at,
    {
      body: { ...body, conversation_id: id },
      headers: { 'x-conversation-id': id, 'x-parent-seq': '1' }
    }
  ]
}

/** All that a client sees of an answer. */
function visible({ status, headers, text }: Reply): string {
  const shown = [...headers].filter(
    ([name]) => name !== 'date' && name !== 'connection' && name !== 'keep-alive'
  )
  return JSON.stringify([status, shown, text])
}

t.test("another session's conversation looks like one that never was, byte for byte", async (t) => {
  const { upstream, call, foreign, deleted } = await twoSessions(t)
  const seenByAnne = async () => [
    (await call(`/conversations/${foreign}`, { headers: ANNE })).text,
    (await call(`/conversations/${foreign}/turns?include=superseded`, { headers: ANNE })).text,
    (await call('/conversations', { headers: ANNE })).text
  ]
  const before = await seenByAnne()
  const calls = upstream.calls.length
  const others = {
    foreign,
    deleted,
    'malformed: short': 'conv_1',
    'malformed: capitals': foreign.toUpperCase(),
    'malformed: a turn': foreign.replace('conv_', 'turn_'),
    'malformed: longer': `${foreign}0`,
    'malformed: a path': '..%2f..%2fetc%2fpasswd',
    'malformed: a quote': "'%20or%201=1--",
    'malformed: long': 'x'.repeat(4096)
  }
  for (const [carrier, requestFor] of Object.entries(CARRIERS)) {
    const ask = async (id: string) => {
      const [path, options] = requestFor(id)
      return await call(path, { ...options, headers: { ...options.headers, ...BOB } })
    }
    const unknown = await ask(`conv_${'0'.repeat(32)}`)
    isErrorReply(t, unknown, 404, { code: 'conversation_not_found', param: null }, `${carrier}, unknown`)
    for (const [name, id] of Object.entries(others)) {
      t.equal(visible(await ask(id)), visible(unknown), `${carrier}, ${name}`)
    }
  }
  t.same(await seenByAnne(), before, 'nothing changed')
  t.equal(upstream.calls.length, calls, 'no upstream call')
  t.same((await call('/conversations', { headers: BOB })).json.data, [], 'nothing was made on the quiet')
})

t.test("lists hold a session's own alone, and foreign cursors reveal nothing", async (t) => {
  const { call, create, foreign } = await twoSessions(t)
  const list = async (query: string, headers: Record<string, string>) =>
    (await call(`/conversations${query}`, { headers })).json
  const invented = foreign.slice(0, -4) + (foreign.endsWith('0000') ? '0001' : '0000')
  const queries = [
    '?after=ID',
    '?before=ID',
    '?order=asc&after=ID',
    '?order=asc&before=ID',
    '?after=ID&pinned=false'
  ]
  const compare = async (when: string) => {
    for (const query of queries) {
      const real = await list(query.replace('ID', foreign), BOB)
      t.same(real, await list(query.replace('ID', invented), BOB), `${query} ${when}`)
    }
  }
  await compare('with an empty list')
  const own = [await create(BOB), await create(BOB)]
  await compare('with conversations of his own')
  t.same(
    (await list('', BOB)).data.map((entry: { id: string }) => entry.id),
    own.toReversed()
  )
  t.same(
    (await list('', ANNE)).data.map((entry: { id: string }) => entry.id),
    [foreign]
  )
})

t.test('with AUTH=none the header means nothing', async (t) => {
  const { url } = await startApp(t)
  const { id } = (await request(`${url}/v1/conversations`, { body: {}, headers: ANNE })).json
  t.equal((await request(`${url}/v1/conversations/${id}`, { headers: BOB })).status, 200)
  t.equal((await request(`${url}/v1/conversations/${id}`)).status, 200)
})

t.test('with AUTH=none a name that is not a loopback name is refused', async (t) => {
  const { url } = await startApp(t)
  const statusFor = async (host: string): Promise<string> => {
    const answer = await sendRaw(
      url,
      `GET /v1/conversations HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`
    )
    return answer.slice('HTTP/1.1 '.length).slice(0, 3)
  }
  for (const host of ['localhost', 'LOCALHOST:3001', '127.0.0.1:80', '127.1.2.3', '[::1]:3001']) {
    t.equal(await statusFor(host), '200', host)
  }
  for (const host of ['evil.example', 'localhost.evil.example:3001', '127.0.0.1.evil.example', '10.0.0.1']) {
    t.equal(await statusFor(host), '403', host)
  }
})
