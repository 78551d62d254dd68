import t from 'tap'
import { startApp } from '../helper/app.ts'
import { startUpstream } from '../helper/upstream.ts'

/** Items that are so many turns. */
const items = (turns: number) =>
  Array.from({ length: turns }, () => [
    { type: 'message', role: 'user', content: 'Hi' },
    { type: 'message', role: 'assistant', content: 'Hello' }
  ]).flat()

t.test('turns and conversations are taken up to their limits, on every way in', async (t) => {
  const upstream = await startUpstream(t)
  const settings = { MAX_TURNS_PER_CONVERSATION: '2', MAX_CONVERSATIONS_PER_SESSION: '3' }
  const { app, chat, turnsOf } = await startApp(t, { ...settings, OPENAI_BASE_URL: upstream.url })
  const post = (url: string, payload?: object) =>
    app.inject({ method: 'POST', url, ...(payload && { payload }) })
  const full = { error: { type: 'invalid_request_error', code: 'conversation_full', param: null } }
  const many = { error: { type: 'invalid_request_error', code: 'too_many_conversations', param: null } }

  const refused = await post('/v1/conversations', { items: items(3) })
  t.equal(refused.statusCode, 400)
  t.match(refused.json(), full)
  const made = await post('/v1/conversations', { items: items(2) })
  t.equal(made.statusCode, 200, made.body)
  const { id } = made.json()
  t.match((await post(`/v1/conversations/${id}/items`, { items: items(1) })).json(), full)
  const asked = await chat({}, { 'x-conversation-id': id })
  t.equal(asked.status, 400)
  t.match(await asked.json(), full)
  t.equal((await turnsOf(id)).length, 2)
  t.equal(upstream.calls.length, 0)

  t.equal((await post('/v1/conversations')).statusCode, 200)
  t.equal((await chat()).status, 200)
  for (const res of [await post('/v1/conversations'), await post('/v1/conversations', { items: items(1) })]) {
    t.equal(res.statusCode, 400)
    t.match(res.json(), many)
  }
  const another = await chat()
  t.equal(another.status, 400)
  t.match(await another.json(), many)
  t.equal(upstream.calls.length, 1)
  const other = await app.inject({ url: '/v1/conversations' })
  t.equal(other.json().data.length, 3)
})

t.test('no limit is the meaning of 0', async (t) => {
  const settings = { MAX_TURNS_PER_CONVERSATION: '0', MAX_CONVERSATIONS_PER_SESSION: '0' }
  const { app } = await startApp(t, settings)
  for (const _ of [1, 2]) {
    const res = await app.inject({ method: 'POST', url: '/v1/conversations', payload: { items: items(3) } })
    t.equal(res.json().last_seq, 3)
  }
})
