import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { echo } from '../helper/echo-upstream.ts'
import { request, sendRaw } from '../helper/request.ts'
import { startStranger } from '../helper/stranger.ts'
import { sendJson, startUpstream } from '../helper/upstream.ts'

const MESSAGES = [{ role: 'user', content: 'Hi' }]

/** The service, the upstream that it is configured for, and a server that nothing may reach. */
async function start(t: Test) {
  const stranger = await startStranger(t)
  const answer = echo()
  const upstream = await startUpstream(t, (res, call, req) => {
    const conversing = call.url === '/v1/chat/completions' || call.url === '/v1/responses'
    if (conversing) return answer(res, call, req)
    sendJson(res, 200, { object: 'list', data: [] })
  })
  const settings = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-our-own', AUTH: 'header' }
  const { url } = await startApp(t, settings)
  return { url, upstream, stranger }
}

const session = { 'x-session-id': 'ann' }

t.test('fields that name a host or a key go on as they are, and change no destination', async (t) => {
  const { url, upstream, stranger } = await start(t)
  const there = `http://${stranger.host}/v1`
  const fields: Record<string, unknown>[] = [
    { api_base: there },
    { base_url: there },
    { baseURL: there },
    { api_key: 'sk-of-the-client' },
    { apiKey: 'sk-of-the-client' },
    { organization: 'org-of-the-client' },
    { extra_headers: { authorization: 'Bearer x', host: stranger.host } },
    { headers: { host: stranger.host } },
    { default_headers: { 'x-a': 'b' } },
    { extra_body: { model: 'other', api_base: there } },
    { extra_query: { 'api-version': '1' } },
    { api_version: '../../' },
    { url: there },
    { endpoint: there },
    { upstream: there },
    { host: stranger.host },
    { proxy: `http://${stranger.host}` },
    { proxies: { all: `http://${stranger.host}` } },
    { path: '/../admin' },
    { custom_llm_provider: 'http' },
    { callback_url: there, webhook: there },
    { user_config: { model_list: [{ api_base: there }] } },
    { model: there },
    { model: `openai/${there}` },
    { model: '../../admin' }
  ]
  for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/embeddings']) {
    for (const field of fields) {
      const question = path === '/v1/responses' ? { input: MESSAGES } : { messages: MESSAGES }
      const before = upstream.calls.length
      const res = await request(url + path, { body: { model: 'm', ...question, ...field }, headers: session })
      const name = `${path} ${JSON.stringify(field)}`
      t.equal(res.status, 200, name)
      t.equal(upstream.calls.length, before + 1)
      const call = upstream.calls.at(-1)
      t.equal(call?.url, path, 'the path that was asked for')
      t.match(JSON.parse(call?.body ?? ''), field, 'the field is the business of the upstream')
      t.equal(call?.headers.authorization, 'Bearer sk-our-own')
    }
  }
  t.strictSame(stranger.heard, [])
})

t.test('no spelling of a request target leads to another host or another part of the upstream', async (t) => {
  const { url, upstream, stranger } = await start(t)
  const evil = stranger.host
  const targets = [
    `http://${evil}/v1/models`,
    `HTTP://${evil}/v1/models`,
    `http://${evil}@localhost/v1/models`,
    `http://localhost@${evil}/v1/models`,
    `http:///${evil}/v1/models`,
    `//${evil}/v1/models`,
    `///${evil}/v1/models`,
    `/\\${evil}/v1/models`,
    `\\\\${evil}\\v1\\models`,
    `/v1//${evil}/models`,
    `/v1/models//${evil}`,
    `/v1/models/http://${evil}/`,
    `/v1/models/@${evil}`,
    `/v1/models/..;/${evil}`,
    `/v1/models?url=http://${evil}`,
    `/v1/models?@${evil}`,
    `/v1/models@${evil}`,
    `/v1/models/../../${evil}`,
    '/v1/models/../chat/completions',
    '/v1/models/%2e%2e/files',
    '/v1/models/%2E%2E%2Ffiles',
    '/v1/models/..%2ffiles',
    '/v1/models/..\\files',
    '/v1/models/%5c..%5cfiles',
    '/v1/models/a/../../files',
    '/v1/models/./files',
    '/v1/models/%252e%252e/files',
    '/v1/models/a%3f/../files',
    '/v1/models/a%23b',
    '/v1/models/a#/../files',
    '/V1/models',
    '/v1/models/%0d%0ahost:%20evil',
    `*`,
    evil
  ]
  for (const target of targets) {
    for (const host of ['localhost', evil]) {
      await sendRaw(
        url,
        `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nx-session-id: ann\r\nconnection: close\r\n\r\n`
      )
    }
  }
  t.ok(upstream.calls.length > 0, 'some are plain calls')
  for (const call of upstream.calls) {
    const { origin, pathname } = new URL(call.url, 'http://upstream')
    t.equal(origin, 'http://upstream', call.url)
    t.match(pathname, /^\/v1\/models(\/|$)/, `${call.url} stays below the models`)
    t.notMatch(
      decodeURIComponent(pathname),
      /(^|[/\\])\.\.?([/\\]|$)/,
      `${call.url} has no dots left to follow`
    )
    t.equal(call.headers.host, new URL(upstream.url).host)
  }
  t.strictSame(stranger.heard, [])
})

t.test('a Host header chooses nothing', async (t) => {
  const { url, upstream, stranger } = await start(t)
  const heads = [
    `host: ${stranger.host}`,
    `host: localhost\r\nx-forwarded-host: ${stranger.host}`,
    `host: localhost\r\nforwarded: host=${stranger.host}`,
    'host: ',
    'host: [::1]:80',
    'host: a b',
    `host: localhost:1@${stranger.host}`
  ]
  for (const head of heads) {
    await sendRaw(url, `GET /v1/models HTTP/1.1\r\n${head}\r\nx-session-id: ann\r\nconnection: close\r\n\r\n`)
  }
  t.ok(upstream.calls.length >= 4, `${upstream.calls.length} calls`)
  for (const { headers } of upstream.calls) t.equal(headers.host, new URL(upstream.url).host)
  t.strictSame(stranger.heard, [])
})

t.test('CONNECT opens no tunnel', async (t) => {
  const { url, upstream, stranger } = await start(t)
  const reply = await sendRaw(
    url,
    `CONNECT ${stranger.host} HTTP/1.1\r\nhost: ${stranger.host}\r\nx-session-id: ann\r\n\r\nGET / HTTP/1.1\r\n\r\n`
  )
  t.notMatch(reply, /^HTTP\/1\.1 2/)
  t.equal(upstream.calls.length, 0)
  t.strictSame(stranger.heard, [])
})
