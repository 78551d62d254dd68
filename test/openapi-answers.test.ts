import t, { type Test } from 'tap'
import { startApp } from './helper/app.ts'
import { echo } from './helper/echo-upstream.ts'
import { documentAt, faultsOf, operationsOf } from './helper/openapi.ts'
import { type Reply, request } from './helper/request.ts'
import { sendJson, startUpstream } from './helper/upstream.ts'

interface Asked {
  /** For the placeholders of the path. */
  params?: Record<string, string>
  /** With its question mark. */
  query?: string
  body?: unknown
  headers?: Record<string, string>
}

const SAY = [{ role: 'user', content: 'Hi' }]
const NO = { error: { message: 'no', type: 'server_error', param: null, code: null } }
const NEW_ITEMS = [
  { role: 'user', content: 'How warm is it?' },
  { type: 'function_call', call_id: 'c', name: 'warm', arguments: '{}' },
  { type: 'function_call_output', call_id: 'c', output: '20' },
  { role: 'assistant', content: 'Warm.' }
]

/** The service, and a way to call what its document describes, by the names in it. */
async function described(t: Test, settings: Record<string, string> = {}) {
  const echoed = echo()
  const upstream = await startUpstream(t, (res, call, req) => {
    if (call.body.includes('"fail"')) return sendJson(res, 500, NO)
    if (/chat|responses/.test(call.url)) return echoed(res, call, req)
    sendJson(res, 200, { object: 'list', data: [] })
  })
  const { app, url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, ...settings })
  const document = await documentAt(url)
  const operations = operationsOf(document)
  const answered = new Set<string>()

  /** Calls the operation and holds its answer to what is documented for it. */
  async function call(id: string, status: number, asked: Asked = {}): Promise<Reply> {
    const operation = operations.find((one) => one.id === id)
    if (!operation) throw new Error(`not in the document: ${id}`)
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => asked.params?.[name] ?? 'none')
    const { method } = operation
    const { body, headers = {} } = asked
    const reply = await request(`${url}${path}${asked.query ?? ''}`, { method, body, headers })
    const name = `${id} ${asked.query ?? ''} ${status}`
    t.equal(reply.status, status, name)
    const type = reply.headers.get('content-type') ?? ''
    t.same(faultsOf(document, operation, status, type, reply.json ?? reply.text), [], name)
    answered.add(`${id} ${status < 400 ? 'success' : 'error'}`)
    return reply
  }

  return { app, call, answered, ids: operations.map(({ id }) => id) }
}

t.test('every operation answers what is documented for it', async (t) => {
  const { call, answered, ids } = await described(t)
  const chat = { messages: SAY, metadata: { ticket: '17', 'a\nb': 'c' } }
  const tools = {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Look' }] }
    ]
  }
  const made = await call('createChatCompletion', 200, { body: chat, headers: { 'idempotency-key': 'k' } })
  await call('createChatCompletion', 200, { body: chat, headers: { 'idempotency-key': 'k' } })
  await call('createChatCompletion', 200, { body: { ...tools, stream: true } })
  const id = made.headers.get('x-conversation-id') ?? ''
  await call('createChatCompletion', 200, { body: { conversation: id, messages: SAY } })
  await call('createChatCompletion', 200, {
    body: chat,
    headers: { 'x-parent-seq': '0', 'x-conversation-id': id }
  })
  const first = await call('createResponse', 200, { body: { input: 'Hi' } })
  const next = { input: [{ role: 'user', content: 'On' }], previous_response_id: first.json.id }
  const second = await call('createResponse', 200, { body: next })
  await call('createResponse', 200, { body: { input: 'Hi', stream: true } })

  await call('createChatCompletion', 500, {
    body: { ...chat, model: 'fail' },
    headers: { 'x-conversation-id': id }
  })
  const conversation = { params: { id } }
  await call('createConversation', 200)
  await call('createConversation', 200, {
    body: { title: 't', model: null, metadata: null, items: NEW_ITEMS }
  })
  await call('listConversations', 200)
  await call('listConversations', 200, { query: '?metadata[ticket]=17&q=Hi&pinned=false&order=asc&limit=1' })
  await call('listConversations', 200, { query: '?q=nobodysaidthis' })
  await call('getConversation', 200, conversation)
  await call('updateConversation', 200, { ...conversation, body: { pinned: true, metadata: { x: 'y' } } })
  await call('listTurns', 200, { ...conversation, query: '?include=superseded&before_seq=9' })
  const added = await call('createConversationItems', 200, { ...conversation, body: { items: NEW_ITEMS } })
  const { json: history } = await call('listTurns', 200, conversation)
  const states = history.data.map(({ kind, status }: { kind: string; status: string }) => `${kind} ${status}`)
  t.same(new Set(states), new Set(['chat completed', 'chat failed', 'items completed']))
  await call('listTurns', 200, { params: { id: first.headers.get('x-conversation-id') ?? '' } })
  await call('getStats', 200)
  const { json: stats } = await call('getStats', 200, { query: '?days=366' })
  t.equal(stats.days.length, 366)
  await call('listConversationItems', 200, { ...conversation, query: '?include=reasoning.encrypted_content' })
  const item = { params: { id, itemId: added.json.first_id } }
  await call('getConversationItem', 200, item)
  await call('deleteConversationItem', 200, item)

  const { json: list } = await call('listChatCompletions', 200, { query: '?model=m-none' })
  t.same(list.data, [])
  const { json: completions } = await call('listChatCompletions', 200, { query: '?order=desc&limit=3' })
  const completion = { params: { id: completions.data[0].id } }
  await call('getChatCompletion', 200, completion)
  await call('updateChatCompletion', 200, { ...completion, body: { metadata: null } })
  await call('listChatCompletionMessages', 200, completion)
  await call('deleteChatCompletion', 200, completion)
  const response = { params: { id: second.json.id } }
  await call('getResponse', 200, response)
  await call('listResponseInputItems', 200, response)
  await call('deleteResponse', 200, response)
  await call('deleteConversation', 200, conversation)
  await call('deleteConversations', 200, { query: '?metadata[ticket]=17' })

  await call('listModels', 200)
  await call('getModel', 200, { params: { id: 'org/model' } })
  await call('createEmbedding', 200, { body: { model: 'e', input: 'x' } })
  await call('getLiveness', 200)
  await call('getReadiness', 200)
  await call('getMetrics', 200)
  const succeeded = [...answered].filter((name) => name.endsWith('success'))
  t.same(succeeded.sort(), ids.map((name) => `${name} success`).sort(), 'none was left out')
})

t.test('every error is the documented one', async (t) => {
  const { app, call, answered, ids } = await described(t)
  const none = { params: { id: 'none', itemId: 'none' } }
  const wrong = { query: '?limit=0' }
  const cases: [id: string, status: number, asked?: Asked][] = [
    ['createChatCompletion', 400, { body: {} }],
    ['createChatCompletion', 404, { body: { conversation: 'conv_none', messages: SAY } }],
    ['createResponse', 400, { body: { background: true } }],
    ['createConversation', 400, { body: { title: 1 } }],
    ['listConversations', 400, wrong],
    ['getConversation', 404, none],
    ['updateConversation', 404, { ...none, body: { pinned: true } }],
    ['deleteConversation', 404, none],
    ['deleteConversations', 400],
    ['listTurns', 404, none],
    ['getStats', 400, { query: '?days=0' }],
    ['createConversationItems', 404, { ...none, body: { items: NEW_ITEMS } }],
    ['listConversationItems', 404, none],
    ['getConversationItem', 404, none],
    ['deleteConversationItem', 404, none],
    ['listChatCompletions', 400, wrong],
    ['getChatCompletion', 404, none],
    ['updateChatCompletion', 404, { ...none, body: { metadata: {} } }],
    ['deleteChatCompletion', 404, none],
    ['listChatCompletionMessages', 404, none],
    ['getResponse', 404, none],
    ['deleteResponse', 404, none],
    ['listResponseInputItems', 404, none],
    ['getModel', 404, { params: { id: '..%2fx' } }],
    ['createEmbedding', 415, { body: 'x', headers: { 'content-type': 'text/plain' } }],
    ['listModels', 403, { headers: { origin: 'https://elsewhere.example' } }]
  ]
  for (const [id, status, asked] of cases) await call(id, status, asked)
  app.lifecycle.draining = true
  await call('getReadiness', 503)
  const without = ['getLiveness', 'getMetrics'] // they fail for nobody who may call them
  t.same(
    [...answered].sort(),
    ids.flatMap((id) => (without.includes(id) ? [] : [`${id} error`])).sort(),
    'none was left out'
  )
})

t.test(
  'the check of answers finds what is missing, what is too much and what is of another type',
  async (t) => {
    const { url } = await startApp(t, { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })
    const document = await documentAt(url)
    const list = operationsOf(document).find(({ id }) => id === 'listConversations')
    if (!list) return t.fail('listConversations is not in the document')
    const { json } = await request(`${url}/v1/conversations`, { body: {} })
    const page = { object: 'list', data: [json], first_id: json.id, last_id: json.id, has_more: false }
    const faults = (body: unknown, type = 'application/json; charset=utf-8') =>
      faultsOf(document, list, 200, type, body).join()
    t.equal(faults(page), '')
    const { has_more: _, ...shorter } = page
    t.match(faults(shorter), 'has_more')
    t.match(faults({ ...page, data: [{ ...json, session_id: 'x' }] }), '/data/0')
    t.match(faults({ ...page, data: [{ ...json, pinned: 0 }] }), '/data/0/pinned')
    t.match(faults(page, 'text/html'), 'not documented')
  }
)
