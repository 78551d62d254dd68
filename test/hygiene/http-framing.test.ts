import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { isErrorReply, request, sendRaw } from '../helper/request.ts'
import { startUpstream } from '../helper/upstream.ts'

const BODY = '{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
const LENGTH = `content-length: ${BODY.length}\r\n`
const SECOND = 'POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n'
const CHUNKED = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`

async function start(t: Test) {
  const upstream = await startUpstream(t)
  return { upstream, ...(await startApp(t, { OPENAI_BASE_URL: upstream.url })) }
}

/** Requests of which two readers could make two different things. */
const AMBIGUOUS: [title: string, head: string, body: string][] = [
  ['two lengths', `${LENGTH}content-length: 5\r\n`, BODY],
  ['the same length twice', LENGTH + LENGTH, BODY],
  ['a list of lengths', `content-length: ${BODY.length}, ${BODY.length}\r\n`, BODY],
  ['a length and chunks', `${LENGTH}transfer-encoding: chunked\r\n`, CHUNKED],
  ['chunks and a length', `transfer-encoding: chunked\r\n${LENGTH}`, CHUNKED],
  ['a length of 0 and chunks', 'content-length: 0\r\ntransfer-encoding: chunked\r\n', CHUNKED],
  ['a folded transfer-encoding', 'transfer-encoding:\r\n chunked\r\n', CHUNKED],
  ['a folded value', `x-a: b\r\n c: d\r\n${LENGTH}`, BODY],
  ['a blank before the colon', `transfer-encoding : chunked\r\n${LENGTH}`, BODY],
  ['chunks under another name', `transfer-encoding: xchunked\r\n${LENGTH}`, BODY],
  ['chunks that are not last', 'transfer-encoding: chunked, identity\r\n', CHUNKED],
  ['chunks twice', 'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n', CHUNKED],
  ['a length with a sign', `content-length: +${BODY.length}\r\n`, BODY],
  ['a length in hex', 'content-length: 0x39\r\n', BODY],
  ['a length below 0', 'content-length: -1\r\n', BODY],
  ['a length beyond all', 'content-length: 99999999999999999999999\r\n', BODY],
  ['a chunk size that is none', 'transfer-encoding: chunked\r\n', 'zz\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size beyond all', 'transfer-encoding: chunked\r\n', `fffffffffffffffff\r\n${BODY}`],
  ['a chunk longer than its size', 'transfer-encoding: chunked\r\n', `5\r\n${BODY}\r\n0\r\n\r\n`],
  ['a NUL in a header', `x-a: b\0c\r\n${LENGTH}`, BODY],
  ['a carriage return in a header', `x-a: b\rx-conversation-id: c\r\n${LENGTH}`, BODY],
  ['a header without a name', `: b\r\n${LENGTH}`, BODY],
  ['a header without a colon', `nonsense\r\n${LENGTH}`, BODY],
  ['a blank in a name', `x a: b\r\n${LENGTH}`, BODY]
]

t.test('a request that can be read in two ways is not read at all', async (t) => {
  const { url, upstream } = await start(t)
  for (const [title, head, body] of AMBIGUOUS) {
    const bytes = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${head}\r\n${body}${SECOND}`
    const reply = await sendRaw(url, bytes)
    t.match(reply, /^HTTP\/1\.1 (400|501) /, title)
    t.equal(reply.split('HTTP/1.1 ').length, 2, `${title}: one answer, and the connection is closed`)
    t.match(reply, /\r\n\r\n\{"error":\{"message":"[^"]+","type":"invalid_request_error"/, title)
  }
  t.equal(upstream.calls.length, 0, 'the upstream heard nothing')
})

t.test('a smuggled second request is answered as the second, never as a part of the first', async (t) => {
  const { url, upstream } = await start(t)
  const first = `GET /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${SECOND.length}\r\n\r\n${SECOND}`
  const reply = await sendRaw(
    url,
    `${first}GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`
  )
  t.equal(reply.split('"status":"ok"').length, 3, 'two answers, to the two requests that were made')
  t.equal(upstream.calls.length, 0)
})

const ENCODINGS = ['gzip', 'br', 'deflate', 'zstd', 'x-gzip', 'gzip, identity', 'unheard']

for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/embeddings', '/v1/conversations']) {
  t.test(`a body in a content-encoding is a 415: ${path}`, async (t) => {
    const { url, upstream } = await start(t)
    for (const encoding of ENCODINGS) {
      for (const body of [gzipSync(BODY), Buffer.from(BODY)]) {
        const res = await request(url + path, { body, headers: { 'content-encoding': encoding } })
        isErrorReply(t, res, 415, { code: 'unsupported_media_type' }, encoding)
      }
    }
    t.equal(upstream.calls.length, 0)
    const plain = await request(`${url}/v1/chat/completions`, {
      body: BODY,
      headers: { 'content-encoding': 'identity' }
    })
    t.equal(plain.status, 200, 'identity is no encoding')
  })
}

/** What would be a header of its own, or the end of the head, were it put into a response as it is. */
const BREAKS = [
  '\r\nset-cookie: canary=1',
  '\nset-cookie: canary=1',
  '\r\n\r\ncanary',
  '\u2028canary',
  '%0d%0acanary: 1'
]

t.test('no value of a request becomes a header of its response', async (t) => {
  const { url } = await start(t)
  const messages = [{ role: 'user', content: 'Hi' }]
  for (const text of BREAKS) {
    const bodies = [
      { messages, conversation_id: `conv_1${text}` },
      { messages, conversation: `conv_1${text}` },
      { messages, conversation: { id: text } },
      { messages, model: text },
      { messages, metadata: { [text]: text } },
      { messages, user: text, stream: true },
      { messages: [{ role: text, content: text }] },
      { messages, [text]: 1 }
    ]
    for (const body of bodies) {
      const res = await request(`${url}/v1/chat/completions`, { body: { model: 'm', ...body } })
      t.ok(res.status < 500, encodeURIComponent(JSON.stringify(body)))
      t.notMatch(JSON.stringify([...res.headers]), 'canary')
    }
    for (const [path, body] of [
      ['/v1/responses', { input: 'Hi', previous_response_id: `resp_${text}` }],
      [`/v1/conversations/${encodeURIComponent(text)}`, undefined],
      [`/v1/conversations?after=${encodeURIComponent(text)}`, undefined],
      [`/v1/${encodeURIComponent(text)}`, undefined]
    ] as const) {
      const res = await request(url + path, { body })
      t.ok(res.status >= 400 && res.status < 500, path)
      t.notMatch(JSON.stringify([...res.headers]), 'canary')
    }
  }
})

for (const header of [
  'x-conversation-id',
  'x-parent-seq',
  'x-on-disconnect',
  'idempotency-key',
  'origin',
  'x-request-id'
]) {
  t.test(`a line break in ${header} ends that header, and nothing of it comes back`, async (t) => {
    const { url } = await start(t)
    for (const text of [
      '\r\nx-canary: 1',
      '\rx-canary: 1',
      '\0canary',
      '\x0bcanary',
      'ÿcanary',
      '%0d%0acanary'
    ]) {
      const bytes = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n${LENGTH}${header}: 1${text}\r\n\r\n${BODY}`
      const [head = '', body] = (await sendRaw(url, bytes)).split('\r\n\r\n')
      t.match(head, /^HTTP\/1\.1 (200|4\d\d) /, JSON.stringify(text))
      t.notMatch(head.replace(/^date:.*$/im, ''), 'canary')
      t.type(body, 'string')
    }
  })
}
