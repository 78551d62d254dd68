import t, { type Test } from 'tap'
import { startApp } from './helper/app.ts'
import { isErrorReply, type RequestOptions, request } from './helper/request.ts'
import { startUpstream } from './helper/upstream.ts'

const MESSAGES = '"messages":[{"role":"user","content":"x"}]'
const DEEP = '['.repeat(5_000) + ']'.repeat(5_000)
const DEEP_OBJECT = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`
const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']))

/** The service with one conversation; when the test ends, it must still be up and nothing have happened. */
async function untouched(t: Test) {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const created = await request(`${url}/v1/conversations`, { body: { title: 'still here' } })
  const at = `${url}/v1/conversations/${created.json.id}`
  const assertUntouched = async () => {
    t.equal((await request(`${url}/livez`)).status, 200, 'still up')
    t.equal((await request(at)).text, created.text, 'the conversation is as it was')
    t.equal((await request(`${url}/v1/conversations`)).json.data.length, 1, 'no other was made')
    t.equal(upstream.calls.length, 0, 'the upstream heard nothing')
    t.equal(({} as { polluted?: unknown }).polluted, undefined, 'no prototype was polluted')
  }
  return { url, at, assertUntouched }
}

type Case = [body: string | object, param: string | RegExp | null, code: string | RegExp]

const NOT_OBJECTS: Case[] = [
  ['[]', 'body', 'invalid_value'],
  ['"x"', 'body', 'invalid_value'],
  ['1', 'body', 'invalid_value'],
  ['true', 'body', 'invalid_value']
]
const NOT_JSON: Case[] = [
  '{',
  '{"a":}',
  "{'a':1}",
  '{"a":1}}',
  'undefined',
  'NaN',
  '{"a":"\n"}',
  '\0',
  '{"a":1,}',
  '['.repeat(5_000)
].map((body) => [body, 'body', 'invalid_json'])
const FORBIDDEN_KEYS: Case[] = [
  `{${MESSAGES},"__proto__":{"polluted":1}}`,
  `{${MESSAGES},"\\u005f_proto__":{"polluted":1}}`,
  `{${MESSAGES},"a":{"b":[{"__proto__":{"polluted":1}}]}}`,
  `{${MESSAGES},"constructor":{"prototype":{"polluted":1}}}`,
  `{"metadata":{"__proto__":{"polluted":"1"}}}`
].map((body) => [body, 'body', 'invalid_json'])

const CHAT: Case[] = [
  ...NOT_OBJECTS,
  ...NOT_JSON,
  ...FORBIDDEN_KEYS,
  ['', 'body', 'invalid_value'],
  ['null', 'body', 'invalid_value'],
  [{}, 'messages', 'missing_required_parameter'],
  [{ messages: null }, 'messages', 'invalid_value'],
  [{ messages: 'Hi' }, 'messages', 'invalid_value'],
  [{ messages: {} }, 'messages', 'invalid_value'],
  [{ messages: [] }, 'messages', 'invalid_value'],
  [{ messages: ['Hi'] }, 'messages[0]', 'invalid_value'],
  [{ messages: [null] }, 'messages[0]', 'invalid_value'],
  [{ messages: [{ role: 'user' }, {}] }, 'messages[1].role', 'missing_required_parameter'],
  [{ messages: [{ role: 1 }] }, 'messages[0].role', 'invalid_value'],
  [`{${MESSAGES},"model":5}`, 'model', 'invalid_value'],
  [`{${MESSAGES},"model":"${'m'.repeat(257)}"}`, 'model', 'invalid_value'],
  [`{${MESSAGES},"stream":"true"}`, 'stream', 'invalid_value'],
  [`{${MESSAGES},"stream":1}`, 'stream', 'invalid_value'],
  [`{${MESSAGES},"store":"false"}`, 'store', 'invalid_value'],
  [`{${MESSAGES},"n":0}`, 'n', 'invalid_value'],
  [`{${MESSAGES},"n":129}`, 'n', 'invalid_value'],
  [`{${MESSAGES},"n":1.5}`, 'n', 'invalid_value'],
  [`{${MESSAGES},"n":"1"}`, 'n', 'invalid_value'],
  [`{${MESSAGES},"conversation_id":7}`, 'conversation_id', 'invalid_value'],
  [`{${MESSAGES},"conversation_id":["conv_1"]}`, 'conversation_id', 'invalid_value'],
  [`{"messages":${DEEP}}`, /^messages\[0\]/, 'invalid_value'],
  [`{"messages":[{"role":"user","content":${DEEP}}]}`, 'messages[0].content', 'invalid_value'],
  [`{${MESSAGES},"metadata":${DEEP_OBJECT}}`, /^metadata/, 'invalid_value'],
  [`{${MESSAGES},"unknown":${DEEP}}`, /^unknown/, 'invalid_value'],
  [DEEP, /./, 'invalid_value']
]

const CREATE: Case[] = [
  ...NOT_OBJECTS,
  ...NOT_JSON,
  ...FORBIDDEN_KEYS,
  [{ colour: 'red' }, 'colour', 'unknown_parameter'],
  [{ title: 'x', Metadata: {} }, 'Metadata', 'unknown_parameter'],
  [{ pinned: true }, 'pinned', 'unknown_parameter'],
  [{ title: 5 }, 'title', 'invalid_value'],
  [{ title: 't'.repeat(513) }, 'title', 'invalid_value'],
  [{ model: {} }, 'model', 'invalid_value'],
  [{ metadata: [] }, 'metadata', 'invalid_value'],
  [{ metadata: 'a=b' }, 'metadata', 'invalid_value'],
  [{ metadata: { a: 1 } }, 'metadata.a', 'invalid_value'],
  [{ metadata: { a: null } }, 'metadata.a', 'invalid_value'],
  [{ metadata: { a: { b: 'c' } } }, 'metadata.a', 'invalid_value'],
  [{ metadata: pairs(17) }, 'metadata', 'invalid_value'],
  [{ metadata: { ['k'.repeat(65)]: 'v' } }, /^metadata/, /^(invalid_value|unknown_parameter)$/],
  [{ metadata: { k: 'v'.repeat(513) } }, 'metadata.k', 'invalid_value'],
  [`{"metadata":${DEEP}}`, /^metadata/, 'invalid_value'],
  [`{"unknown":${DEEP_OBJECT}}`, /^unknown/, 'invalid_value']
]

const UPDATE: Case[] = [
  ...CREATE.filter(([body]) => !(body instanceof Object && ('pinned' in body || 'model' in body))),
  ['', 'body', 'invalid_value'],
  ['null', 'body', 'invalid_value'],
  [{}, 'body', 'invalid_value'],
  [{ model: 'm' }, 'model', 'unknown_parameter'],
  [{ pinned: 'true' }, 'pinned', 'invalid_value'],
  [{ pinned: 1 }, 'pinned', 'invalid_value'],
  [{ pinned: null }, 'pinned', 'invalid_value']
]

for (const [path, cases] of Object.entries({ 'chat/completions': CHAT, conversations: CREATE, '': UPDATE })) {
  t.test(`a bad body is a 400 that names the field: POST ${path || 'conversations/{id}'}`, async (t) => {
    const { url, at, assertUntouched } = await untouched(t)
    for (const [body, param, code] of cases) {
      const res = await request(path ? `${url}/v1/${path}` : at, { body })
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const name = JSON.stringify(text.slice(0, 70))
      isErrorReply(t, res, 400, { param, code }, name)
      t.ok(res.text.length < 1_000, 'the answer does not repeat the question')
    }
    await assertUntouched()
  })
}

t.test('the message about a forbidden key does not call valid JSON invalid', async (t) => {
  const { url } = await untouched(t)
  for (const [body] of FORBIDDEN_KEYS) {
    const res = await request(`${url}/v1/chat/completions`, { body })
    t.match(res.json.error.message, /__proto__|constructor/)
  }
})

t.test('metadata up to its limits is taken', async (t) => {
  const { url } = await startApp(t)
  const full = { ...pairs(15), ['k'.repeat(64)]: 'v'.repeat(512) }
  const res = await request(`${url}/v1/conversations`, { body: { metadata: full, title: 't'.repeat(512) } })
  t.same(res.json?.metadata, full)
})

t.test('a body of another content type is a 415', async (t) => {
  const { url, at, assertUntouched } = await untouched(t)
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
    ''
  ]
  for (const target of [
    `${url}/v1/chat/completions`,
    `${url}/v1/conversations`,
    `${url}/v1/embeddings`,
    at
  ]) {
    for (const type of types) {
      const body = Buffer.from(`{"title":"x",${MESSAGES}}`)
      const res = await request(target, { body, headers: { 'content-type': type } })
      isErrorReply(
        t,
        res,
        415,
        { code: 'unsupported_media_type' },
        `'${type}' to ${new URL(target).pathname}`
      )
    }
  }
  await assertUntouched()
})

t.test('a body above MAX_REQUEST_BYTES is a 413', async (t) => {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, MAX_REQUEST_BYTES: '1000' })
  const bodyOf = (bytes: number) => `{${MESSAGES}}`.padEnd(bytes)
  t.equal((await request(`${url}/v1/chat/completions`, { body: bodyOf(1_000) })).status, 200)
  const res = await request(`${url}/v1/chat/completions`, { body: bodyOf(1_001) })
  isErrorReply(t, res, 413, { code: 'request_too_large' }, 'one byte more')
  t.equal(upstream.calls.length, 1)
})

t.test('a wrong method and an unknown URL are 404s in the same shape', async (t) => {
  const { url, at, assertUntouched } = await untouched(t)
  const cases: [target: string, options: RequestOptions][] = [
    [`${url}/`, { body: {} }],
    [`${url}/none`, {}],
    [`${url}/v1`, {}],
    [`${url}/v1/none`, { body: {} }],
    [`${url}/v1/chat/completions`, { method: 'PUT', body: {} }],
    [`${url}/v1/chat/completions`, { method: 'DELETE' }],
    [`${url}/v1/embeddings`, {}],
    [`${url}/v1/models`, { body: {} }],
    [`${url}/livez`, { body: {} }],
    [at, { method: 'PATCH', body: { title: 'x' } }],
    [at, { method: 'PUT', body: { title: 'x' } }],
    [`${at}/none`, {}],
    [`${at}/turns`, { method: 'DELETE' }]
  ]
  for (const [target, options] of cases) {
    const name = `${options.method ?? ''} ${target.slice(url.length)}`
    isErrorReply(t, await request(target, options), 404, { code: 'not_found', param: null }, name)
  }
  await assertUntouched()
})

t.test('a header of ours with a wrong value is a 400 that names it', async (t) => {
  const { url, assertUntouched } = await untouched(t)
  for (const [name, value] of [
    ['x-parent-seq', 'abc'],
    ['x-parent-seq', '-1'],
    ['x-parent-seq', '2147483648'],
    ['x-on-disconnect', 'maybe'],
    ['x-on-disconnect', 'ABORT'],
    ['x-on-disconnect', '']
  ] as const) {
    const res = await request(`${url}/v1/chat/completions`, {
      body: `{${MESSAGES}}`,
      headers: { [name]: value }
    })
    isErrorReply(t, res, 400, { param: name, code: 'invalid_value' }, `${name}: ${value}`)
  }
  await assertUntouched()
})
