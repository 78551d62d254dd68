import t from 'tap'
import { startApp } from '../helper/app.ts'
import { responseOf, sendResponse } from '../helper/echo-upstream.ts'
import { rawChat } from '../helper/raw-client.ts'
import { request } from '../helper/request.ts'
import { completion, DONE, finish, startUpstream, type UpstreamScript } from '../helper/upstream.ts'

const CANARY = 'canary-of-the-upstream'

/** What upstreams and those in front of them send, and no client may see. */
const KEPT_BACK = `accept-ranges access-control-allow-credentials access-control-allow-headers
  access-control-allow-methods access-control-allow-origin access-control-expose-headers access-control-max-age age
  alt-svc cache-control cf-cache-status cf-ray clear-site-data content-disposition content-language
  content-location content-security-policy etag expires last-modified link location nel
  openai-organization openai-project p3p pragma proxy-authenticate proxy-connection public-key-pins referrer-policy
  refresh report-to server server-timing set-cookie2 sourcemap strict-transport-security te timing-allow-origin
  traceparent upgrade vary via warning www-authenticate x-accel-redirect x-amzn-requestid x-conversation-id
  x-frame-options x-litellm-key x-powered-by x-sendfile x-turn-id x-turn-seq idempotent-replayed x-session-id`.split(
  /\s+/
)

const PASSED: Record<string, string> = {
  'retry-after': '7',
  'retry-after-ms': '7000',
  'x-should-retry': 'false',
  'x-request-id': 'req_1',
  'openai-processing-ms': '12',
  'openai-version': '2020-10-01',
  'x-ratelimit-limit-requests': '10',
  'x-ratelimit-reset-tokens': '6m0s'
}

const ANSWERS: { title: string; path: string; stream: boolean; status: number }[] = [
  { title: 'a JSON answer', path: '/v1/chat/completions', stream: false, status: 200 },
  { title: 'a stream', path: '/v1/chat/completions', stream: true, status: 200 },
  { title: 'a response', path: '/v1/responses', stream: false, status: 200 },
  { title: 'a stream of a response', path: '/v1/responses', stream: true, status: 200 },
  { title: 'an embedding', path: '/v1/embeddings', stream: false, status: 200 },
  { title: 'an error', path: '/v1/chat/completions', stream: false, status: 429 },
  { title: 'an error in place of a stream', path: '/v1/chat/completions', stream: true, status: 500 }
]

for (const { title, path, stream, status } of ANSWERS) {
  t.test(`of the headers of ${title} only those on the list arrive`, async (t) => {
    const upstream = await startUpstream(t, (res, call, req) => {
      for (const name of KEPT_BACK) res.setHeader(name, CANARY)
      for (const [name, value] of Object.entries(PASSED)) res.setHeader(name, value)
      res.setHeader('set-cookie', [`a=${CANARY}`, `b=${CANARY}`])
      res.setHeader('connection', `close, x-request-id, ${CANARY}`)
      res.setHeader('keep-alive', `timeout=1, ${CANARY}`)
      res.setHeader('trailer', 'x-late')
      res.on('prefinish', () => res.addTrailers({ 'x-late': CANARY }))
      if (status !== 200) return void res.writeHead(status).end(`{"error":{"message":"no"}}`)
      if (path === '/v1/responses')
        return sendResponse(res, JSON.parse(call.body), responseOf('resp_1', 'Hi'))
      return answer(res, call, req)
    })
    const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, ALLOWED_ORIGIN: 'http://localhost:1' })
    const body = { model: 'm', stream, messages: [{ role: 'user', content: 'Hi' }], input: 'Hi' }
    const res = await request(url + path, { body, headers: { origin: 'http://localhost:1' } })
    t.equal(res.status, status)
    t.notMatch(JSON.stringify([...res.headers]), CANARY)
    for (const [name, value] of Object.entries(PASSED)) t.equal(res.headers.get(name), value, name)
    t.equal(res.headers.get('access-control-allow-origin'), 'http://localhost:1', 'CORS is ours')
    if (path === '/v1/embeddings') return
    t.match(res.headers.get('x-conversation-id'), /^conv_/, 'ours wins')
    t.match(res.headers.get('x-turn-id'), /^turn_/)
    t.equal(res.headers.get('x-turn-seq'), '1')
  })
}

const answer: UpstreamScript = (res, call) => {
  if (!JSON.parse(call.body).stream)
    return void res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(completion('Hi')))
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.end(finish() + DONE)
}

/** Values that are no header any more once they are written to a client as they came. */
const ODD_VALUES: [name: string, value: string][] = [
  ['in UTF-8 beyond Latin-1', '日本'],
  ['in UTF-8 within Latin-1', 'é'],
  ['an emoji', '😀'],
  ['of bytes above 127', '\xff\xfe'],
  ['with a tab', 'a\tb'],
  ['of 8,000 characters', 'r'.repeat(8_000)],
  ['that is empty', '']
]

for (const [title, value] of ODD_VALUES) {
  t.test(`a header value ${title} does no harm`, async (t) => {
    const bytes = [...value].some((char) => char > '\xff') ? Buffer.from(value).toString('latin1') : value
    const upstream = await startUpstream(t, (res, call, req) => {
      res.setHeader('x-request-id', bytes)
      return answer(res, call, req)
    })
    const { url, chat, endedTurn } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
    for (const stream of [true, false]) {
      const res = await chat({ stream })
      t.equal(res.status, 200)
      await res.text()
      t.match(await endedTurn(res), { status: 'completed' })
    }
    t.equal((await request(`${url}/livez`)).status, 200)
  })
}

for (const stream of [true, false]) {
  t.test(`a content-length that lies does not reach the client (stream: ${stream})`, async (t) => {
    const upstream = await startUpstream(t, (res, _call, req) => {
      const type = stream ? 'text/event-stream' : 'application/json'
      const whole = stream ? finish() + DONE : JSON.stringify(completion('Hi'))
      const rest = 'HTTP/1.1 200 OK\r\nx-conversation-id: canary-smuggled\r\n\r\ncanary-smuggled'
      const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${whole.length}\r\n\r\n`
      res.detachSocket(req.socket)
      req.socket.end(head + whole + rest)
    })
    const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
    const client = await rawChat(t, url, { stream }, { connection: 'close' })
    await client.closed
    t.match(client.received(), /^HTTP\/1\.1 200 /)
    t.notMatch(client.received(), 'canary-smuggled', 'what came after the answer is nobody’s')
    const declared = client.received().match(/content-length: (\d+)/)?.[1]
    if (!stream) t.equal(Number(declared), JSON.stringify(completion('Hi')).length, 'our own count')
    else t.equal(declared, undefined)
  })
}
