import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { isErrorReply, type Reply, request } from '../helper/request.ts'
import { sendJson, startUpstream } from '../helper/upstream.ts'

const MESSAGES = '"messages":[{"role":"user","content":"x"}]'

const list = (value: string, count: number) => Array(count).fill(value).join(',')
const members = (count: number, value = '"v"', pad = 0) =>
  Array.from({ length: count }, (_, i) => `"k${String(i).padEnd(pad, 'x')}":${value}`).join(',')
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

/** The service with one conversation, and a check that nothing has happened. */
async function start(t: Test, settings: Record<string, string> = {}) {
  const upstream = await startUpstream(t)
  const { url, app } = await startApp(t, { OPENAI_BASE_URL: upstream.url, ...settings })
  const { json } = await request(`${url}/v1/conversations`, { body: {} })
  const kept = () => app.store.exportConversations(null, 100)
  const before = await kept()
  const post = (path: string, body: string): Promise<Reply> =>
    request(`${url}/v1/${path.replace('{id}', json.id)}`, { body })
  const untouched = async () => {
    t.same(await kept(), before, 'nothing is stored')
    t.equal(upstream.calls.length, 0, 'the upstream heard nothing')
  }
  return { post, untouched, upstream }
}

/** [what the body is, path, body, param] */
type Case = [title: string, path: string, body: string, param: string | RegExp]

const MILLIONS = 9_000_000
const huge: Case[] = [
  ['millions of numbers', 'chat/completions', `{"messages":[${list('1', MILLIONS)}]}`, 'body'],
  ['millions of keys', 'chat/completions', `{${MESSAGES},"metadata":{${members(1_500_000, '1')}}}`, 'body'],
  ['one key, millions of times', 'conversations', `{"metadata":{${list('"a":"1"', 2_000_000)}}}`, 'body'],
  ['a deep list', 'responses', `{"input":${deep(MILLIONS)}}`, 'body'],
  ['a deep object', 'conversations/{id}', `{"metadata":${'{"a":'.repeat(3_000_000)}`, 'body'],
  ['as many items', 'conversations/{id}/items', `{"items":[${list('{}', 6_000_000)}]}`, 'body'],
  ['as many keys as may be', 'conversations', `{${members(190_000, '"v"', 90)}}`, 'body'],
  ['the same in metadata', 'conversations/{id}', `{"metadata":{${members(190_000, '"v"', 90)}}}`, 'body'],
  ['one key', 'conversations', `{"${'k'.repeat(20_000_000)}":1}`, /^k{128}…$/],
  ['one metadata key', 'responses', `{"metadata":{"${'😀'.repeat(5_000_000)}":"v"}}`, /^metadata\./],
  ['one name', 'conversations', `{"title":"${'e\u0301'.repeat(6_000_000)}"}`, 'title']
]

t.test('a huge body that is refused is refused soon, in a few words that name the field', async (t) => {
  const { post, untouched } = await start(t)
  for (const [title, path, body, param] of huge) {
    const since = performance.now()
    const res = await post(path, body)
    const ms = Math.round(performance.now() - since)
    isErrorReply(t, res, 400, { param }, `${title}: ${path}`)
    t.comment(`${title}: ${(body.length / 1e6).toFixed(1)} MB in ${ms} ms`)
    t.ok(res.text.length < 1_000, 'the answer does not repeat the question')
  }
  await untouched()
})

/** [what holds, setting, path, the largest that is taken, one more, param] */
type Edge = [setting: string, value: string, path: string, most: string, more: string, param: string]

const chat = (messages: number) => `{"messages":[${list('{"role":"user","content":"x"}', messages)}]}`
const input = (items: number) => `{"model":"m","input":[${list('{"role":"user","content":"x"}', items)}]}`
const items = (count: number) => `{"items":[${list('{"role":"user","content":"x"}', count)}]}`
const nested = (levels: number) => `{${MESSAGES},"a":${deep(levels - 1)}}`
const edges: Edge[] = [
  ['MAX_MESSAGES', '3', 'chat/completions', chat(3), chat(4), 'messages'],
  ['MAX_MESSAGES', '3', 'responses', input(3), input(4), 'input'],
  ['MAX_MESSAGES', '3', 'conversations', items(3), items(4), 'items'],
  ['MAX_MESSAGES', '3', 'conversations/{id}/items', items(3), items(4), 'items'],
  ['MAX_JSON_DEPTH', '8', 'chat/completions', nested(8), nested(9), 'a[0][0]'],
  ['MAX_JSON_VALUES', '5', 'chat/completions', `{${MESSAGES} }`, `{${MESSAGES},"a":1}`, 'body'],
  // The body, its list, three empty values in it; commas and brackets in texts are no values.
  [
    'MAX_JSON_VALUES',
    '8',
    'chat/completions',
    `{${MESSAGES},"b":[{ } ,[\n]]}`,
    `{${MESSAGES},"b":[{},[1]]}`,
    'body'
  ],
  [
    'MAX_JSON_VALUES',
    '5',
    'chat/completions',
    `{${MESSAGES.replace('x', '\\",[{,:\\\\')}}`,
    '[0,0,0,0,0]',
    'body'
  ]
]

for (const [setting, value, path, most, more, param] of edges) {
  t.test(`${setting}=${value} is the most that is taken: POST ${path}, ${more.slice(0, 60)}`, async (t) => {
    const { post, untouched, upstream } = await start(t, { [setting]: value })
    const refused = await post(path, more)
    isErrorReply(t, refused, 400, { param, code: 'invalid_value', message: setting }, 'one more')
    await untouched()
    upstream.script = (res) =>
      sendJson(res, 200, { id: 'r', object: 'response', status: 'completed', output: [] })
    const taken = await post(path, most)
    t.notMatch(taken.text, setting)
    if (path.startsWith('conv')) t.equal(taken.status, 200)
    else t.equal(upstream.calls.length, 1, 'the upstream was asked')
  })
}

t.test('0 takes MAX_JSON_VALUES and MAX_MESSAGES away', async (t) => {
  const { post } = await start(t, { MAX_JSON_VALUES: '0', MAX_MESSAGES: '0' })
  const res = await post('chat/completions', chat(150_000))
  t.equal(res.status, 200)
})

t.test('the input of embeddings may hold any number of values, and goes on as it came', async (t) => {
  const { post, upstream } = await start(t)
  upstream.script = (res) => sendJson(res, 200, { object: 'list', data: [] })
  const body = `{ "model":"m","input":[${list('1', 2_000_000)}]}`
  t.equal((await post('embeddings', body)).status, 200)
  t.ok(upstream.calls[0]?.body === body)
})

t.test('many metadata keys that are too long are a 400', async (t) => {
  const { post, untouched } = await start(t)
  for (const count of [1, 7, 8, 9, 16, 17, 1_000]) {
    const res = await post('conversations', `{"metadata":{${members(count, '"v"', 100)}}}`)
    isErrorReply(t, res, 400, { param: /^metadata/ }, `${count} keys`)
  }
  await untouched()
})

t.test('an object with very many names holds nobody else up', async (t) => {
  const { post, untouched } = await start(t)
  const bodies = {
    metadata: `{${MESSAGES},"metadata":{${members(150_000)}}}`,
    'a field of its own': `{${MESSAGES},"x":{${members(150_000)}}}`,
    'the body': `{${MESSAGES},${members(150_000)}}`,
    'a message': `{"messages":[{"role":"user","content":"x","x":[{},{${members(150_000)}}]}]}`
  }
  for (const [what, body] of Object.entries(bodies)) {
    const since = performance.now()
    isErrorReply(t, await post('chat/completions', body), 400, { message: /more than 10000 members/ }, what)
    t.comment(`${what}: ${Math.round(performance.now() - since)} ms`)
  }
  await untouched()
  const fits = `{${MESSAGES},"store":false,"x":[${list('{"a":1,"b":2}', 30_000)}],"y":{${members(9_999)}}}`
  t.equal((await post('chat/completions', fits)).status, 200, 'many objects and values are none of that')
})
