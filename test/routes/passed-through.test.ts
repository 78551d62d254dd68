import t from 'tap'
import { startApp } from '../helper/app.ts'
import { isErrorReply, request, sendRaw } from '../helper/request.ts'
import { sendJson, startUpstream } from '../helper/upstream.ts'

t.test('models and embeddings are the upstream’s own answers, and nothing is recorded', async (t) => {
  const upstream = await startUpstream(t, (res, call) =>
    sendJson(res, 200, { got: [call.method, call.url, call.body] })
  )
  const { app, url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const before = app.store.counters.writes
  const embed = '{ "model":"m","input":["a", 1e400] }'
  const cases: [path: string, body: string | undefined][] = [
    ['/models', undefined],
    ['/models?limit=2&after=a%20b', undefined],
    ['/models/gpt-4o', undefined],
    ['/models/org/model:tag', undefined],
    ['/models/org%2Fmodel%20x', undefined],
    ['/models/v1..2', undefined],
    ['/embeddings', embed]
  ]
  for (const [path, body] of cases) {
    const res = await request(`${url}/v1${path}`, body === undefined ? {} : { body })
    t.equal(res.status, 200)
    t.same(res.json, { got: [body === undefined ? 'GET' : 'POST', `/v1${path}`, body ?? ''] })
    t.equal(res.headers.get('x-turn-id'), null)
  }
  t.equal(app.store.counters.writes, before)
  t.same((await request(`${url}/v1/conversations`)).json.data, [])
})

t.test('a model id cannot lead to other calls of the upstream', async (t) => {
  const upstream = await startUpstream(t, (res) => sendJson(res, 200, { reached: true }))
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-ours' })
  const paths = [
    '/v1/models/../files',
    '/v1/models/..',
    '/v1/models/a/../../files',
    '/v1/models/./../files',
    '/v1/models/%2e%2e/files',
    '/v1/models/.%2E/files',
    '/v1/models/..%2ffiles',
    '/v1/models/..%2f..%2fadmin',
    '/v1/models/..\\files',
    '/v1/models/..%5cfiles',
    '/v1/models#/../files',
    '/v1/models/a#/../../files',
    '/v1/models/..%252ffiles'
  ]
  for (const path of paths) {
    const answer = await sendRaw(url, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
    t.match(answer, /^HTTP\/1\.1 404 /, path)
    t.match(answer, /"code":"not_found"/, path)
  }
  t.same(
    upstream.calls.map((call) => call.url),
    []
  )
})

t.test('an error of the upstream reaches the client with its own status and body', async (t) => {
  const body = {
    error: { message: 'No such model', type: 'invalid_request_error', param: 'model', code: 'x' }
  }
  const upstream = await startUpstream(t, (res) => sendJson(res, 404, body))
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  for (const options of [{}, { body: { input: 'x' } }]) {
    const res = await request(`${url}/v1/${'body' in options ? 'embeddings' : 'models/none'}`, options)
    t.equal(res.status, 404)
    t.same(res.json, body)
  }
})

t.test('what the upstream says about our key does not reach the client', async (t) => {
  for (const status of [401, 403]) {
    const upstream = await startUpstream(t, (res) =>
      sendJson(res, status, { error: { message: 'Incorrect API key provided: sk-ours' } })
    )
    const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-ours' })
    for (const [path, body] of [
      ['models', undefined],
      ['embeddings', {}],
      ['chat/completions', { messages: [{ role: 'user', content: 'x' }] }]
    ] as const) {
      const res = await request(`${url}/v1/${path}`, { ...(body && { body }) })
      isErrorReply(t, res, 502, { code: 'upstream_auth', param: null }, `${path} on ${status}`)
      t.notMatch(res.text, /sk-ours/)
    }
  }
})

t.test('an upstream that is not there is a 502', async (t) => {
  const { url } = await startApp(t, { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' })
  const res = await request(`${url}/v1/models`)
  isErrorReply(t, res, 502, { code: 'upstream_unreachable', param: null }, 'models')
})

t.test(
  'a body that does not say it is JSON goes nowhere; what it holds is for the upstream to judge',
  async (t) => {
    const upstream = await startUpstream(t, (res) => sendJson(res, 200, {}))
    const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
    const text = await request(`${url}/v1/embeddings`, {
      body: '{}',
      headers: { 'content-type': 'text/plain' }
    })
    isErrorReply(t, text, 415, { code: 'unsupported_media_type' }, 'text')
    t.equal(upstream.calls.length, 0)
    await request(`${url}/v1/embeddings`, { body: '{"input":' })
    t.equal(String(upstream.calls[0]?.body), '{"input":')
  }
)
