import { LLMock } from '@copilotkit/aimock'
import { zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { type ClientCall, inConversation, user } from './client-call.ts'
import { PARALLEL_ROUND, TOOL_ITEMS, TOOL_ROUND, weather } from './model.ts'
import { over } from './service.ts'

const ASK = { model: 'm', messages: [user('Hi')] }
const KEPT = { kind: 'chat', status: 'completed', userText: 'Hi', assistantText: 'Hello world' }
const TOOL = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
    parse: JSON.parse,
    function: weather
  }
}

export const chatCalls: ClientCall[] = [
  {
    call: 'chat.completions.create',
    async check(t, { openai, answers, turns }) {
      answers({ text: 'Hello world', id: 'chatcmpl-1' })
      const { data, response } = await openai().chat.completions.create(ASK).withResponse()
      t.equal(data.choices[0]?.message.content, 'Hello world')
      t.match(data.usage, { total_tokens: 7 })
      const [turn, ...more] = await turns()
      t.match(turn, { ...KEPT, completionId: 'chatcmpl-1', detail: { usage: { total_tokens: 7 } } })
      t.same(more, [])
      t.equal(response.headers.get('x-conversation-id'), turn?.conversationId)
      t.equal(response.headers.get('x-turn-id'), turn?.id)
    }
  },
  {
    call: 'chat.completions.create, streamed',
    async check(t, { openai, answers, turns }) {
      answers({ text: 'Hello world' }, { text: 'Hello world', usage: false })
      for (const include_usage of [true, false]) {
        const stream = await openai().chat.completions.create({
          ...ASK,
          stream: true,
          stream_options: { include_usage }
        })
        let text = ''
        let usage: unknown = null
        for await (const chunk of stream) {
          text += chunk.choices[0]?.delta.content ?? ''
          usage = chunk.usage ?? usage
        }
        t.equal(text, 'Hello world')
        t.match(usage, include_usage ? { total_tokens: 7 } : null)
      }
      t.match(await turns(), [
        { ...KEPT, detail: { usage: { total_tokens: 7 } } },
        { ...KEPT, detail: null }
      ])
    }
  },
  {
    call: 'chat.completions.stream',
    async check(t, { openai, answers, turns }) {
      answers({ text: 'Hello world', reasoning: 'They greet me.' })
      const stream = openai().chat.completions.stream({ ...ASK, stream: true })
      const deltas: string[] = []
      stream.on('content', (delta) => deltas.push(delta))
      t.equal(await stream.finalContent(), 'Hello world')
      t.ok(deltas.length > 1)
      const [turn] = await turns()
      t.match(turn, KEPT)
      t.match(turn?.detail, { choices: [{ message: { reasoning_content: 'They greet me.' } }] })
    }
  },
  {
    call: 'chat.completions.runTools',
    async check(t, { openai, answers, items, turns }) {
      const { id } = await openai().conversations.create()
      answers(...TOOL_ROUND)
      const runner = openai().chat.completions.runTools(
        { model: 'm', messages: [user('Weather?')], tools: [TOOL] },
        { headers: { 'x-conversation-id': id } }
      )
      t.equal(await runner.finalContent(), 'Seven degrees in Oslo.')
      t.same(await items(id), TOOL_ITEMS)
      t.match(await turns(), [
        { userText: 'Weather?', finishReason: 'tool_calls' },
        { userText: null, finishReason: 'stop' }
      ])
    }
  },
  {
    call: 'chat.completions.runTools, streamed, parallel calls',
    async check(t, { openai, answers, items, turns }) {
      const { id } = await openai().conversations.create()
      answers(...PARALLEL_ROUND)
      const runner = openai().chat.completions.runTools(
        inConversation(id, { model: 'm', stream: true, messages: [user('Weather?')], tools: [TOOL] })
      )
      t.equal(await runner.finalContent(), 'Seven in Oslo, thirty in Rome.')
      t.same(await items(id), [
        'user: Weather?',
        'call: weather {"city":"Oslo"}',
        'call: weather {"city":"Rome"}',
        'result: 7 °C',
        'result: 30 °C',
        'assistant: Seven in Oslo, thirty in Rome.'
      ])
      t.equal((await turns()).length, 2)
    }
  },
  {
    call: 'chat.completions.parse',
    async check(t, { openai, answers, asked, turns }) {
      const City = z.object({ city: z.string() })
      answers({ text: '{"city":"Oslo"}' }, { refusal: 'I will not.' })
      const request = { ...ASK, response_format: zodResponseFormat(City, 'city') }
      const parsed = await openai().chat.completions.parse(request)
      t.same(parsed.choices[0]?.message.parsed, { city: 'Oslo' })
      t.same(asked()[0], JSON.parse(JSON.stringify(request)))
      const refused = await openai().chat.completions.parse(request)
      t.match(refused.choices[0]?.message, { parsed: null, refusal: 'I will not.' })
      t.match(await turns(), [
        { assistantText: '{"city":"Oslo"}', detail: { usage: {} } },
        { assistantText: null, detail: { choices: [{ message: { refusal: 'I will not.' } }] } }
      ])
    }
  },
  {
    call: 'chat.completions.create, `conversation`',
    async check(t, { openai, answers, asked, items, turns }) {
      const { id } = await openai().conversations.create()
      answers({ text: 'Hello world' }, { text: 'Your name is Kim.' })
      await openai().chat.completions.create(inConversation(id, ASK))
      const next = {
        model: 'm',
        messages: [{ role: 'system' as const, content: 'Be kind.' }, user('My name?')]
      }
      await openai().chat.completions.create(inConversation(id, next))
      t.same(asked()[1]?.messages, [
        { role: 'system', content: 'Be kind.' },
        user('Hi'),
        { role: 'assistant', content: 'Hello world' },
        user('My name?')
      ])
      t.equal((await turns()).length, 2)
      t.same(await items(id), [
        'user: Hi',
        'assistant: Hello world',
        'system: Be kind.',
        'user: My name?',
        'assistant: Your name is Kim.'
      ])
    }
  },
  {
    call: 'chat.completions.create, over aimock',
    async check(t, { openai, upstream, turns }) {
      const mock = new LLMock({ port: 0, logLevel: 'silent' })
      await mock.start()
      t.teardown(() => mock.stop())
      mock.onMessage('Hi', { content: 'Hello world' }, { chunkSize: 3 })
      upstream(over(mock))
      const whole = await openai().chat.completions.create(ASK)
      t.equal(whole.choices[0]?.message.content, 'Hello world')
      const stream = openai().chat.completions.stream({ ...ASK, stream: true })
      t.equal(await stream.finalContent(), 'Hello world')
      t.match(await turns(), [KEPT, KEPT])
    }
  }
]
