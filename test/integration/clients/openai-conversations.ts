import OpenAI from 'openai'
import type { ClientCall } from './client-call.ts'
import { describe } from './service.ts'

const NONE = `conv_${'0'.repeat(32)}`
const ITEMS = [
  { type: 'message', role: 'developer', content: 'Be brief.' },
  { type: 'message', role: 'user', content: 'Weather?' },
  { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' },
  { type: 'function_call_output', call_id: 'c1', output: '7 °C' },
  { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Cold.', annotations: [] }] }
] as OpenAI.Responses.ResponseInputItem[]
const DESCRIBED = [
  'developer: Be brief.',
  'user: Weather?',
  'call: weather {"city":"Oslo"}',
  'result: 7 °C',
  'assistant: Cold.'
]

export const conversationCalls: ClientCall[] = [
  {
    call: 'conversations.create',
    async check(t, { openai, items, turns }) {
      const made = await openai().conversations.create({ metadata: { topic: 'tea' }, items: ITEMS })
      t.match(made, { id: /^conv_[0-9a-f]{32}$/, object: 'conversation', metadata: { topic: 'tea' } })
      t.same(await items(made.id), DESCRIBED)
      t.match(
        (await turns()).map(({ kind, status }) => [kind, status]),
        [
          ['items', 'completed'],
          ['items', 'completed']
        ]
      )
    }
  },
  {
    call: 'conversations.retrieve',
    async check(t, { openai }) {
      const made = await openai().conversations.create({ metadata: { topic: 'tea' } })
      t.same(await openai().conversations.retrieve(made.id), made)
      const err = await openai()
        .conversations.retrieve(NONE)
        .catch((e) => e)
      t.ok(err instanceof OpenAI.NotFoundError)
    }
  },
  {
    call: 'conversations.update',
    async check(t, { openai }) {
      const { id } = await openai().conversations.create({ metadata: { topic: 'tea' } })
      const changed = await openai().conversations.update(id, { metadata: { mood: 'good' } })
      t.same(changed.metadata, { mood: 'good' })
      t.same(await openai().conversations.retrieve(id), changed)
    }
  },
  {
    call: 'conversations.delete',
    async check(t, { openai, turns }) {
      const { id } = await openai().conversations.create({ items: ITEMS })
      t.equal((await turns()).length, 2)
      t.same(await openai().conversations.delete(id), { id, object: 'conversation.deleted', deleted: true })
      t.same(await turns(), [])
      const err = await openai()
        .conversations.retrieve(id)
        .catch((e) => e)
      t.ok(err instanceof OpenAI.NotFoundError)
    }
  },
  {
    call: 'conversations.items.create',
    async check(t, { openai, items, turns }) {
      const { id } = await openai().conversations.create()
      const made = await openai().conversations.items.create(id, { items: ITEMS })
      t.same(made.data.map(describe), DESCRIBED)
      t.match(made, { object: 'list', first_id: made.data[0]?.id, has_more: false })
      t.same(await items(id), DESCRIBED)
      t.match(await turns(), [{ userText: 'Weather?' }, { assistantText: 'Cold.' }])
    }
  },
  {
    call: 'conversations.items.list, all pages',
    async check(t, { openai }) {
      const { id } = await openai().conversations.create({ items: ITEMS })
      const seen = []
      for await (const item of openai().conversations.items.list(id, { limit: 2 })) seen.push(item)
      t.same(seen.map(describe), DESCRIBED.toReversed(), 'the newest first')
      const rest = await openai().conversations.items.list(id, { order: 'asc', after: String(seen[3]?.id) })
      t.same(rest.data.map(describe), DESCRIBED.slice(2))
    }
  },
  {
    call: 'conversations.items.retrieve',
    async check(t, { openai }) {
      const made = await openai().conversations.create({ items: ITEMS })
      const { data } = await openai().conversations.items.list(made.id)
      for (const item of data) {
        const same = await openai().conversations.items.retrieve(String(item.id), {
          conversation_id: made.id
        })
        t.same(same, item, item.type)
      }
      t.equal(data.length, ITEMS.length)
    }
  },
  {
    call: 'conversations.items.delete',
    async check(t, { openai, answers, items, turns }) {
      const made = await openai().conversations.create()
      answers({ text: 'Hello' })
      const headers = { 'x-conversation-id': made.id }
      const messages = [{ role: 'user' as const, content: 'Hi' }]
      await openai().chat.completions.create({ model: 'm', messages }, { headers })
      const { data } = await openai().conversations.items.list(made.id, { order: 'asc' })
      const [question, answer] = data
      const gone = { conversation_id: made.id }
      t.match(await openai().conversations.items.delete(question?.id ?? '', gone), { id: made.id })
      t.same(await items(made.id), ['assistant: Hello'])
      const [left] = (await openai().conversations.items.list(made.id)).data
      t.equal(left?.id, answer?.id, 'what stays keeps its id')
      t.match(await turns(), [{ kind: 'items', userText: null, assistantText: 'Hello' }])
      await openai().conversations.items.delete(answer?.id ?? '', gone)
      t.same(await turns(), [])
    }
  }
]
