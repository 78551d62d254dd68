import OpenAI from 'openai'
import { delta, sendJson, startSse } from '../../helper/upstream.ts'
import { type ClientCall, inConversation, user } from './client-call.ts'
import { TOOL_ROUND } from './model.ts'

const PIXEL = 'data:image/png;base64,iVBORw0KGgo='

/** What becomes of a conversation that did not go smoothly, and calls that have no method in the SDK. */
export const historyCalls: ClientCall[] = [
  {
    call: 'chat.completions.create, `conversation`, after a tool call without a result',
    async check(t, { openai, answers, asked, turns }) {
      const { id } = await openai().conversations.create()
      answers(...TOOL_ROUND)
      const say = (content: string) =>
        openai().chat.completions.create(inConversation(id, { model: 'm', messages: [user(content)] }))
      await say('Weather?')
      await say('Never mind.')
      t.match(asked()[1]?.messages, [
        user('Weather?'),
        { role: 'assistant', tool_calls: [{ id: 'call_oslo' }] },
        { role: 'tool', tool_call_id: 'call_oslo' },
        user('Never mind.')
      ])
      t.match(await turns(), [{ userText: 'Weather?' }, { userText: 'Never mind.', detail: { usage: {} } }])
    }
  },
  {
    call: 'responses.create, `previous_response_id`, after a tool call without a result',
    async check(t, { openai, answers, asked }) {
      answers(...TOOL_ROUND)
      const first = await openai().responses.create({ model: 'm', input: 'Weather?' })
      const next = { model: 'm', input: 'Never mind.', previous_response_id: first.id }
      t.equal((await openai().responses.create(next)).output_text, 'Seven degrees in Oslo.')
      t.match(asked()[1]?.input, [
        { role: 'user' },
        { type: 'function_call', call_id: 'call_oslo' },
        { type: 'function_call_output', call_id: 'call_oslo' },
        { role: 'user', content: 'Never mind.' }
      ])
    }
  },
  {
    call: 'chat.completions.create, `conversation`, after failures',
    async check(t, { openai, upstream, answers, asked, turns }) {
      const { id } = await openai().conversations.create()
      const say = (content: string) =>
        openai().chat.completions.create(inConversation(id, { model: 'm', messages: [user(content)] }))
      upstream((res) => sendJson(res, 500, { error: { message: 'broken' } }))
      t.ok((await say('One').catch((err) => err)) instanceof OpenAI.InternalServerError)
      upstream((res) => {
        startSse(res)
        const half = { index: 0, id: 'c', type: 'function', function: { name: 'weather', arguments: '{"ci' } }
        res.end(delta({ content: 'Well, ' }) + delta({ tool_calls: [half] }))
      })
      const stream = openai().chat.completions.stream(
        inConversation(id, { model: 'm', stream: true, messages: [user('Two')] })
      )
      t.match(await stream.done().catch((err) => err), { message: /broke off/ })
      answers({ text: 'Hello' })
      await say('Three')
      t.same(asked().at(-1)?.messages, [user('Two'), { role: 'assistant', content: 'Well, ' }, user('Three')])
      t.match(await turns(), [{ status: 'failed' }, { status: 'incomplete' }, { status: 'completed' }])
    }
  },
  {
    call: 'chat.completions.create and responses.create in one conversation',
    async check(t, { openai, answers, items, turns }) {
      const { id } = await openai().conversations.create()
      answers({ text: 'one', reasoning: 'Hm.' }, { text: 'two', reasoning: 'Hm.' }, { text: 'three' })
      const chat = (content: string) =>
        openai().chat.completions.create(inConversation(id, { model: 'm', messages: [user(content)] }))
      await chat('1')
      await openai().responses.create({ model: 'm', input: '2', conversation: id })
      await chat('3')
      t.same(
        (await items(id)).filter((item) => item !== 'reasoning'),
        ['user: 1', 'assistant: one', 'user: 2', 'assistant: two', 'user: 3', 'assistant: three']
      )
      t.match(await turns(), [{ kind: 'chat' }, { kind: 'response' }, { kind: 'chat' }])
    }
  },
  {
    call: 'chat.completions.create, images',
    async check(t, { openai, answers, asked }) {
      const { id } = await openai().conversations.create()
      answers({ text: 'A dot.' }, { text: 'Black.' })
      const content = [
        { type: 'text' as const, text: 'What is this?' },
        { type: 'image_url' as const, image_url: { url: PIXEL } }
      ]
      const first = { model: 'm', messages: [{ role: 'user' as const, content }] }
      await openai().chat.completions.create(inConversation(id, first))
      await openai().chat.completions.create(
        inConversation(id, { model: 'm', messages: [user('Its colour?')] })
      )
      t.match(asked()[1]?.messages, [{ content }, { content: 'A dot.' }, { content: 'Its colour?' }])
      const image = async (include: OpenAI.Responses.ResponseIncludable[]) => {
        const page = await openai().conversations.items.list(id, { order: 'asc', include })
        const [item] = page.data
        return item?.type === 'message' ? item.content[1] : null
      }
      t.match(await image(['message.input_image.image_url']), { type: 'input_image', image_url: PIXEL })
      t.match(await image([]), { type: 'input_image', image_url: null })
    }
  },
  {
    call: 'chat.completions.create, refused: `conversation_locked`',
    async check(t, { openai, answers, asked, turns }) {
      const { id } = await openai().conversations.create()
      answers({ text: 'Hello', endless: true })
      const ask = inConversation(id, { model: 'm', messages: [user('Hi')] })
      const running = await openai().chat.completions.create({ ...ask, stream: true })
      const err = await openai({ maxRetries: 2 })
        .chat.completions.create(ask)
        .catch((err) => err)
      t.ok(err instanceof OpenAI.BadRequestError)
      t.equal(err.code, 'conversation_locked')
      running.controller.abort()
      t.equal(asked().length, 1)
      t.equal((await turns()).length, 1)
    }
  },
  {
    call: 'get(/conversations), `q`, `metadata` and `pinned`',
    async check(t, { openai, answers }) {
      answers({ text: 'The kettle is on.' }, { text: 'Espresso.' })
      const ids: string[] = []
      for (const drink of ['tea', 'coffee']) {
        const { id } = await openai().conversations.create({ metadata: { drink } })
        ids.push(id)
        await openai().chat.completions.create(inConversation(id, { model: 'm', messages: [user('Hi')] }))
      }
      const find = async (query: object) => {
        const page = await openai().get<{ data: { id: string }[] }>('/conversations', { query })
        return page.data.map(({ id }) => ids.indexOf(id))
      }
      t.same(await find({}), [1, 0])
      t.same(await find({ q: 'KETTLE' }), [0])
      t.same(await find({ q: 'kett' }), [])
      t.same(await find({ metadata: { drink: 'coffee' } }), [1])
      await openai().post(`/conversations/${ids[0]}`, { body: { pinned: true } })
      t.same(await find({ pinned: true }), [0])
    }
  }
]
