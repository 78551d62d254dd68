import t from 'tap'
import { startApp } from '../helper/app.ts'
import { echo } from '../helper/echo-upstream.ts'
import { sendRaw } from '../helper/request.ts'
import { sendJson, startUpstream } from '../helper/upstream.ts'

const CANARY = 'canary-of-the-client'
const OWN_KEY = 'sk-our-own'
const BODY = '{"model":"m","store":false,"messages":[{"role":"user","content":"Hi"}],"input":"Hi"}'

/** All that the upstream may be sent. `traceparent` and `tracestate` are ours where traces are on. */
const SENT = new Set([
  'host',
  'connection',
  'accept',
  'accept-encoding',
  'user-agent',
  'authorization',
  'content-type',
  'content-length'
])

/** What clients, proxies and attackers send; each carries the canary. */
const HEADERS = [
  ...`accept accept-charset accept-datetime accept-language alt-used anthropic-version api-key authorization
  baggage cache-control cf-connecting-ip cookie cookie2 date dnt forwarded from http2-settings if-match
  if-modified-since if-none-match keep-alive link max-forwards newapi-user openai-beta openai-organization
  openai-project origin pragma proxy-authenticate proxy-authorization proxy-connection range referer
  sec-fetch-site sec-websocket-key server set-cookie te traceparent tracestate trailer true-client-ip
  upgrade-insecure-requests user-agent via warning www-authenticate x-api-key x-amz-security-token
  x-canary x-client-ip x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto
  x-forwarded-user x-goog-api-key x-http-method-override x-original-url x-real-ip x-request-id
  x-rewrite-url x-stainless-lang x-stainless-package-version x-upstream-url x-base-url helicone-auth`
    .split(/\s+/)
    .map((name) => `${name}: ${CANARY}`),
  `connection: close, authorization, ${CANARY}`,
  `connection: close, upgrade, ${CANARY}\r\nupgrade: ${CANARY}`,
  `AUTHORIZATION: Bearer ${CANARY}`,
  `authorization: Basic ${CANARY}`,
  `cookie: a=${CANARY}; b=${CANARY}`,
  `idempotency-key: ${CANARY}`,
  `accept-encoding: gzip, br, ${CANARY}`,
  `host: localhost:1\r\nx-host: ${CANARY}`,
  `x-on-disconnect: abort\r\nx-duplicate: ${CANARY}\r\nx-duplicate: ${CANARY}`,
  `x-stainless-retry-count: 1\r\nx-stainless-os: ${CANARY}`
]

const CALLS = [
  ['POST', '/v1/chat/completions'],
  ['POST', '/v1/responses'],
  ['POST', '/v1/embeddings'],
  ['GET', '/v1/models'],
  ['GET', '/v1/models/m']
] as const

for (const [method, path] of CALLS) {
  t.test(`of a client's headers the upstream sees none: ${method} ${path}`, async (t) => {
    const answer = echo()
    const raw: string[][] = []
    const upstream = await startUpstream(t, (res, call, req) => {
      raw.push(req.rawHeaders)
      if (call.url === '/v1/chat/completions' || call.url === '/v1/responses') return answer(res, call, req)
      sendJson(res, 200, { object: 'list', data: [] })
    })
    const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: OWN_KEY })
    const body = method === 'POST' ? BODY : ''
    const typed =
      method === 'POST' ? `content-type: application/json\r\ncontent-length: ${body.length}\r\n` : ''
    let answered = 0
    for (const header of HEADERS) {
      const host = header.startsWith('host:') ? '' : 'host: localhost\r\n'
      const close = header.startsWith('connection:') ? '' : 'connection: close\r\n'
      const before = raw.length
      const reply = await sendRaw(
        url,
        `${method} ${path} HTTP/1.1\r\n${host}${close}${typed}${header}\r\n\r\n${body}`
      )
      if (/^HTTP\/1\.1 200 /.test(reply)) answered += 1
      for (const sent of raw.slice(before)) {
        const names = sent.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
        const foreign = names.filter((name) => !SENT.has(name))
        t.strictSame(foreign, [], `${header.split(':')[0]} brings nothing along`)
        t.equal(new Set(names).size, names.length, 'none twice')
        t.notMatch(sent.join('\n'), CANARY)
      }
    }
    t.ok(answered > 60, `${answered} of ${HEADERS.length} were answered`)
    t.equal(raw.length >= answered, true, 'by the upstream')
    for (const { headers } of upstream.calls) {
      t.equal(headers.authorization, `Bearer ${OWN_KEY}`, 'our own key and no other')
      t.equal(headers['accept-encoding'], 'identity')
      t.equal(headers.host, new URL(upstream.url).host)
    }
  })
}
