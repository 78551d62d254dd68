import t from 'tap'
import { startApp } from '../helper/app.ts'
import { responseOf, sendResponse } from '../helper/echo-upstream.ts'
import { request } from '../helper/request.ts'
import { completion, sendJson, startUpstream } from '../helper/upstream.ts'

// The service runs in this process: what it does to the prototypes, it does to these.
const PROTOTYPES = [Object, Array, String, Number, Boolean, Function, Promise, Map, Buffer].map(
  ({ prototype }) => prototype
)
const namesOf = () => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype))

const QUERIES = [
  '__proto__[polluted]=1',
  '__proto__.polluted=1',
  '__proto__=1',
  '__proto__[]=1',
  '__proto__[__proto__][polluted]=1',
  '%5f%5fproto%5f%5f[polluted]=1',
  '__pro__proto__to__[polluted]=1',
  'constructor[prototype][polluted]=1',
  'constructor.prototype.polluted=1',
  'constructor=1',
  'prototype[polluted]=1',
  'a[__proto__][polluted]=1',
  'a[constructor][prototype][polluted]=1',
  'a[]=1&a[__proto__]=1&a[length]=1e9',
  'a[hasOwnProperty]=1&a[toString]=1',
  'toString=1&valueOf=1&hasOwnProperty=1',
  'metadata[__proto__]=polluted',
  'metadata[__proto__][polluted]=1',
  'metadata[constructor]=1',
  'metadata[toString]=1',
  'metadata[a]=1&metadata[__proto__]=2',
  'limit[__proto__]=1',
  'include[__proto__]=1',
  'order[toString]=asc'
]

const GETS = [
  '/v1/conversations',
  '/v1/chat/completions',
  '/v1/conversations/ID',
  '/v1/conversations/ID/items',
  '/v1/conversations/ID/turns',
  '/v1/models'
]

const KEY_TEXTS = [
  '"__proto__":{"polluted":1}',
  '"\\u005f\\u005fproto__":{"polluted":1}',
  '"__proto__":[1]',
  '"__proto__":null',
  '"constructor":{"prototype":{"polluted":1}}',
  '"constructor":{"\\u0070rototype":{"polluted":1}}',
  '"constructor":1',
  '"prototype":{"polluted":1}',
  '"toString":1,"hasOwnProperty":1,"valueOf":1',
  '"__defineGetter__":1,"__lookupSetter__":1',
  '"then":1'
]

const QUESTION =
  '"model":"m","messages":[{"role":"user","content":"Hi"}],"input":[{"role":"user","content":"Hi"}]'

/** Everywhere that a key can stand. */
const BODIES = KEY_TEXTS.flatMap((keys) => [
  `{${keys}}`,
  `[{${keys}}]`,
  `{${QUESTION},${keys}}`,
  `{${QUESTION},"metadata":{${keys}}}`,
  `{${QUESTION},"conversation":{${keys}}}`,
  `{${QUESTION},"tools":[{"type":"function","function":{${keys}}}]}`,
  `{"model":"m","messages":[{"role":"user","content":"Hi",${keys}}]}`,
  `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a",${keys}}]}]}`,
  `{"model":"m","input":[{"type":"message","role":"user","content":"Hi",${keys}}]}`,
  `{"metadata":{${keys}}}`,
  `{"items":[{"type":"message","role":"user","content":"Hi",${keys}}]}`
])

const POSTS = [
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/embeddings',
  '/v1/conversations',
  '/v1/conversations/ID',
  '/v1/conversations/ID/items'
]

t.test('no query and no body changes a prototype', async (t) => {
  const upstream = await startUpstream(t, (res, call) => {
    if (call.url === '/v1/responses') return sendResponse(res, {}, responseOf('resp_1', 'Hi'))
    sendJson(res, 200, completion('Hi'))
  })
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const { id } = (await request(`${url}/v1/conversations`, { body: { metadata: { a: 'b' } } })).json
  const before = namesOf()
  const statuses = new Map<number, number>()
  const send = async (path: string, body?: string) => {
    const res = await request(url + path.replace('ID', id), { body })
    statuses.set(res.status, (statuses.get(res.status) ?? 0) + 1)
    t.ok(res.status < 500, `${path} ${body ?? ''}: ${res.status}`)
    t.equal(({} as { polluted?: unknown }).polluted, undefined)
    t.strictSame(namesOf(), before, 'every prototype has the names it had')
  }
  for (const path of GETS) for (const query of QUERIES) await send(`${path}?${query}`)
  for (const path of POSTS) for (const body of BODIES) await send(path, body)
  for (const path of GETS) await send(path)
  t.ok((statuses.get(200) ?? 0) > 50, 'among them are requests that are served')
  t.ok((statuses.get(400) ?? 0) > 50, 'and such that are refused')
})

t.test('answers of the upstream change no prototype', async (t) => {
  const before = namesOf()
  const upstream = await startUpstream(t)
  const { chat, url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  for (const keys of KEY_TEXTS) {
    const message = `{"role":"assistant","content":"Hi",${keys}}`
    const whole = `{"id":"c",${keys},"choices":[{"index":0,"message":${message},"finish_reason":"stop",${keys}}]}`
    const event = (part: string) => `data: {"id":"c",${keys},"choices":[${part}]}\n\n`
    const call = `{"index":0,"id":"x",${keys},"function":{"name":"f","arguments":"{}",${keys}}}`
    const stream = [
      event(`{"index":0,"delta":${message}}`),
      event(`{"index":0,"delta":{"tool_calls":[${call}],${keys}}}`),
      event(`{"index":0,"delta":{${keys}},"finish_reason":"stop"}`),
      'data: [DONE]\n\n'
    ].join('')
    upstream.script = (res, { body }) => {
      const wantsStream = JSON.parse(body).stream === true
      res.writeHead(200, { 'content-type': wantsStream ? 'text/event-stream' : 'application/json' })
      res.end(wantsStream ? stream : whole)
    }
    for (const wantsStream of [true, false]) {
      const res = await chat({ stream: wantsStream })
      t.equal(res.status, 200, keys)
      await res.text()
      const id = res.headers.get('x-conversation-id')
      for (const view of ['turns', 'items']) {
        t.equal((await request(`${url}/v1/conversations/${id}/${view}`)).status, 200)
      }
    }
    t.equal(({} as { polluted?: unknown }).polluted, undefined)
    t.strictSame(namesOf(), before)
  }
})
