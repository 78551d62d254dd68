import OpenAI from 'openai'
import t from 'tap'
import { startApp } from '../helper/app.ts'
import { isErrorReply, request } from '../helper/request.ts'
import { startUpstream } from '../helper/upstream.ts'

const nowSeconds = () => Math.floor(Date.now() / 1000)

t.test('a new conversation has the fields that OpenAI gives it, and ours', async (t) => {
  const { url } = await startApp(t)
  const before = nowSeconds()
  for (const options of [{ method: 'POST' }, { body: {} }, { body: 'null' }, { body: { metadata: null } }]) {
    const res = await request(`${url}/v1/conversations`, options)
    t.equal(res.status, 200)
    const { id, created_at, ...rest } = res.json
    t.match(id, /^conv_[0-9a-f]{32}$/)
    t.ok(Number.isInteger(created_at) && created_at >= before && created_at <= nowSeconds(), 'Unix seconds')
    t.same(rest, {
      object: 'conversation',
      metadata: {},
      title: null,
      model: null,
      pinned: false,
      last_seq: 0,
      active_at: created_at
    })
  }
})

t.test('what a conversation is created with is what is retrieved', async (t) => {
  const { url } = await startApp(t)
  const given = { metadata: { topic: 'tea', '': 'empty key' }, title: 'On tea', model: 'm-1' }
  const created = await request(`${url}/v1/conversations`, { body: given })
  t.match(created.json, given)
  const retrieved = await request(`${url}/v1/conversations/${created.json.id}`)
  t.equal(retrieved.status, 200)
  t.equal(retrieved.text, created.text)
})

t.test('an update replaces what it names and leaves the rest', async (t) => {
  const { url } = await startApp(t)
  const created = await request(`${url}/v1/conversations`, {
    body: { metadata: { a: '1', b: '2' }, title: 'old', model: 'm' }
  })
  const at = `${url}/v1/conversations/${created.json.id}`
  const steps: [change: object, after: object][] = [
    [{ metadata: { c: '3' } }, { metadata: { c: '3' }, title: 'old', pinned: false }],
    [{ title: 'new' }, { metadata: { c: '3' }, title: 'new', pinned: false }],
    [{ pinned: true }, { metadata: { c: '3' }, title: 'new', pinned: true }],
    [
      { pinned: false, title: null, metadata: null },
      { metadata: {}, title: null, pinned: false }
    ]
  ]
  for (const [body, after] of steps) {
    const expected = { ...created.json, ...after }
    const updated = await request(at, { body })
    t.equal(updated.status, 200)
    t.same(updated.json, expected)
    t.same((await request(at)).json, expected)
  }
})

t.test('a deleted conversation is gone for good, with its turns', async (t) => {
  const upstream = await startUpstream(t)
  const { url, chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const answer = await chat()
  await answer.text()
  const id = answer.headers.get('x-conversation-id') ?? ''
  t.equal((await turnsOf(id)).length, 1)

  const deleted = await request(`${url}/v1/conversations/${id}`, { method: 'DELETE' })
  t.equal(deleted.status, 200)
  t.same(deleted.json, { id, object: 'conversation.deleted', deleted: true })

  const again: [string, string][] = [
    ['GET', id],
    ['DELETE', id],
    ['GET', `${id}/turns`]
  ]
  for (const [method, path] of again) {
    const res = await request(`${url}/v1/conversations/${path}`, { method })
    isErrorReply(t, res, 404, { code: 'conversation_not_found', param: null }, `${method} after the deletion`)
  }
  t.same((await request(`${url}/v1/conversations`)).json.data, [])
})

t.test('an answer that ends after its conversation was deleted does not bring it back', async (t) => {
  let finish = () => {}
  const upstream = await startUpstream(t, (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write('data: {"choices":[{"index":0,"delta":{"content":"late"}}]}\n\n')
    finish = () => res.end('data: [DONE]\n\n')
  })
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const answer = await chat({ stream: true })
  const at = `${url}/v1/conversations/${answer.headers.get('x-conversation-id')}`
  t.equal((await request(at, { method: 'DELETE' })).status, 200)
  finish()
  t.match(await answer.text(), /\[DONE\]/)
  t.equal((await request(at)).status, 404)
})

t.test('a conversation takes title, model and activity from its turns', async (t) => {
  const upstream = await startUpstream(t)
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const first = await chat({ model: 'm-1', messages: [{ role: 'user', content: '  What is\n\ttea? ' }] })
  const headers = { 'x-conversation-id': first.headers.get('x-conversation-id') ?? '' }
  await (await chat({ model: 'm-2' }, headers)).text()
  const { json } = await request(`${url}/v1/conversations/${headers['x-conversation-id']}`)
  t.match(json, { title: 'What is tea?', model: 'm-2', last_seq: 2 })
  t.ok(json.active_at >= json.created_at)
})

t.test("the official SDK's conversation calls work", async (t) => {
  const { url } = await startApp(t)
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 })
  const created = await client.conversations.create({ metadata: { topic: 'tea' } })
  t.match(created, { id: /^conv_/, object: 'conversation', metadata: { topic: 'tea' } })
  t.type(created.created_at, 'number')
  t.equal((await client.conversations.create()).object, 'conversation')
  t.same(await client.conversations.retrieve(created.id), created)
  const updated = await client.conversations.update(created.id, { metadata: { topic: 'coffee' } })
  t.same(updated, { ...created, metadata: { topic: 'coffee' } })
  t.same(await client.conversations.delete(created.id), {
    id: created.id,
    object: 'conversation.deleted',
    deleted: true
  })
  const gone = await client.conversations.retrieve(created.id).catch((err: unknown) => err)
  t.ok(gone instanceof OpenAI.NotFoundError)
  t.match(gone, { status: 404, code: 'conversation_not_found', param: null, type: 'invalid_request_error' })
})
