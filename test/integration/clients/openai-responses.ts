import { LLMock } from '@copilotkit/aimock'
import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { sendJson } from '../../helper/upstream.ts'
import type { ClientCall } from './client-call.ts'
import { THINKING_ROUND, TOOL_ROUND, weather } from './model.ts'
import { over, saidIn } from './service.ts'

const ASK = { model: 'm', input: 'Hi' }
const KEPT = { kind: 'response', status: 'completed', userText: 'Hi', assistantText: 'Hello world' }

export const responseCalls: ClientCall[] = [
  {
    call: 'responses.create',
    async check(t, { openai, answers, asked, turns }) {
      answers({ text: 'Hello world' })
      const response = await openai().responses.create({ ...ASK, metadata: { topic: 'tea' } })
      t.match(response, { status: 'completed', output_text: 'Hello world' })
      t.same(asked(), [{ ...ASK, store: false }])
      t.match(await turns(), [{ ...KEPT, completionId: response.id, metadata: { topic: 'tea' } }])
    }
  },
  {
    call: 'responses.create, streamed',
    async check(t, { openai, answers, turns }) {
      answers({ text: 'Hello world', reasoning: 'They greet me.' })
      const stream = await openai().responses.create({ ...ASK, stream: true })
      const types = new Set<string>()
      let text = ''
      for await (const event of stream) {
        types.add(event.type)
        if (event.type === 'response.output_text.delta') text += event.delta
      }
      t.equal(text, 'Hello world')
      t.ok(types.has('response.created') && types.has('response.completed'))
      const [turn] = await turns()
      t.match(turn, KEPT)
      t.match(turn?.detail, { response: { output: [{ type: 'reasoning' }, { type: 'message' }] } })
    }
  },
  {
    call: 'responses.stream',
    async check(t, { openai, answers, turns }) {
      answers({ text: 'Hello world' })
      const response = await openai().responses.stream(ASK).finalResponse()
      t.equal(response.output_text, 'Hello world')
      t.match(await turns(), [{ ...KEPT, completionId: response.id }])
    }
  },
  {
    call: 'responses.parse',
    async check(t, { openai, answers, turns }) {
      const City = z.object({ city: z.string() })
      answers({ text: '{"city":"Oslo"}' })
      const parsed = await openai().responses.parse({ ...ASK, text: { format: zodTextFormat(City, 'city') } })
      t.same(parsed.output_parsed, { city: 'Oslo' })
      t.match(await turns(), [{ assistantText: '{"city":"Oslo"}' }])
    }
  },
  {
    call: 'responses.create, tools',
    async check(t, { openai, answers, asked, items, turns }) {
      answers(...TOOL_ROUND)
      const tools = [{ type: 'function' as const, name: 'weather', parameters: {}, strict: false }]
      const first = await openai().responses.create({ ...ASK, tools })
      const call = first.output.find((item) => item.type === 'function_call')
      const output = weather(JSON.parse(call?.arguments ?? '{}'))
      const second = await openai().responses.create({
        model: 'm',
        previous_response_id: first.id,
        input: [{ type: 'function_call_output', call_id: call?.call_id ?? '', output }]
      })
      t.equal(second.output_text, 'Seven degrees in Oslo.')
      t.same(saidIn(asked()[1]), ['user: Hi', 'function_call', 'function_call_output'])
      const stored = await turns()
      t.match(stored, [
        { userText: 'Hi', assistantText: null },
        { userText: null, assistantText: 'Seven degrees in Oslo.' }
      ])
      t.same(await items(stored[0]?.conversationId ?? ''), [
        'user: Hi',
        'call: weather {"city":"Oslo"}',
        'result: 7 °C',
        'assistant: Seven degrees in Oslo.'
      ])
    }
  },
  {
    call: 'responses.create, tools, the output sent back by the client',
    async check(t, { openai, answers, items, turns }) {
      const { id } = await openai().conversations.create()
      answers(...THINKING_ROUND)
      const options = { headers: { 'x-conversation-id': id } }
      const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Hi' }]
      const first = await openai().responses.create({ model: 'm', input }, options)
      input.push(...(first.output as OpenAI.Responses.ResponseInput))
      input.push({ type: 'function_call_output', call_id: 'call_oslo', output: '7 °C' })
      const second = await openai().responses.create({ model: 'm', input }, options)
      t.equal(second.output_text, 'Seven degrees in Oslo.')
      t.same(await items(id), [
        'user: Hi',
        'reasoning',
        'call: weather {"city":"Oslo"}',
        'result: 7 °C',
        'reasoning',
        'assistant: Seven degrees in Oslo.'
      ])
      t.equal((await turns()).length, 2)
    }
  },
  {
    call: 'responses.create, over aimock',
    async check(t, { openai, upstream, turns }) {
      const mock = new LLMock({ port: 0, logLevel: 'silent' })
      await mock.start()
      t.teardown(() => mock.stop())
      mock.onMessage('Hi', { content: 'Hello world' }, { chunkSize: 3 })
      upstream(over(mock))
      t.equal((await openai().responses.create(ASK)).output_text, 'Hello world')
      const streamed = await openai().responses.stream(ASK).finalResponse()
      t.equal(streamed.output_text, 'Hello world')
      t.match(await turns(), [KEPT, KEPT])
    }
  },
  {
    call: 'responses.create, refused: `background`, no such upstream',
    async check(t, { openai, upstream, asked, turns }) {
      upstream((res) => sendJson(res, 404, { detail: 'Not Found' }))
      const refused = await openai()
        .responses.create({ ...ASK, background: true })
        .catch((e) => e)
      t.match(refused, { status: 400, param: 'background' })
      t.ok(refused instanceof OpenAI.BadRequestError)
      t.equal(asked().length, 0)
      const missing = await openai()
        .responses.create(ASK)
        .catch((e) => e)
      t.match(missing, { status: 404, code: 'responses_unsupported' })
      t.match(await turns(), [{ status: 'failed', error: 'upstream_error' }])
    }
  }
]
