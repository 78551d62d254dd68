import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateObject, generateText, isStepCount, Output, streamText, tool } from 'ai'
import { z } from 'zod'
import { sendJson } from '../../helper/upstream.ts'
import type { Client } from './client-call.ts'
import { model, PARALLEL_ROUND, TOOL_ITEMS, TOOL_ROUND, weather } from './model.ts'
import type { Service } from './service.ts'

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false }) // that generateObject is old is known

const KEPT = { kind: 'chat', status: 'completed', userText: 'Hi', assistantText: 'Hello world' }
const City = z.object({ city: z.string() })
const tools = {
  weather: tool({
    description: 'The weather in a city',
    inputSchema: City,
    execute: async (city) => weather(city)
  })
}

function provider({ baseURL, headers }: Service, filedIn?: string) {
  return createOpenAICompatible({
    name: 'turnkeeper',
    baseURL,
    headers: { ...headers, ...(filedIn && { 'x-conversation-id': filedIn }) },
    includeUsage: true,
    supportsStructuredOutputs: true
  })('m')
}

async function joined(stream: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of stream) text += piece
  return text
}

export const aiSdk: Client = {
  name: 'AI SDK',
  packages: ['ai', '@ai-sdk/openai-compatible'],
  calls: [
    {
      call: 'generateText',
      async check(t, service) {
        service.answers({ text: 'Hello world' })
        const { text, usage, response } = await generateText({ model: provider(service), prompt: 'Hi' })
        t.equal(text, 'Hello world')
        t.match(usage, { totalTokens: 7 })
        t.match(await service.turns(), [{ ...KEPT, completionId: response.id }])
      }
    },
    {
      call: 'streamText',
      async check(t, service) {
        service.answers({ text: 'Hello world' })
        const { textStream, usage } = streamText({ model: provider(service), prompt: 'Hi' })
        t.equal(await joined(textStream), 'Hello world')
        t.match(await usage, { totalTokens: 7 })
        t.match(await service.turns(), [{ ...KEPT, detail: { usage: { total_tokens: 7 } } }])
      }
    },
    {
      call: 'generateText, tools in several steps',
      async check(t, service) {
        const { id } = await service.openai().conversations.create()
        service.answers(...PARALLEL_ROUND)
        const { text, steps } = await generateText({
          model: provider(service, id),
          tools,
          prompt: 'Weather?',
          stopWhen: isStepCount(3)
        })
        t.equal(text, 'Seven in Oslo, thirty in Rome.')
        t.equal(steps.length, 2)
        t.same(await service.items(id), [
          'user: Weather?',
          'call: weather {"city":"Oslo"}',
          'call: weather {"city":"Rome"}',
          'result: 7 °C',
          'result: 30 °C',
          'assistant: Seven in Oslo, thirty in Rome.'
        ])
        t.equal((await service.turns()).length, 2)
      }
    },
    {
      call: 'streamText, tools in several steps',
      async check(t, service) {
        const { id } = await service.openai().conversations.create()
        service.answers(...TOOL_ROUND)
        const providerOptions = { turnkeeper: { conversation: id } }
        const prompt = 'Weather?'
        const stopWhen = isStepCount(3)
        const { text } = streamText({ model: provider(service), tools, prompt, providerOptions, stopWhen })
        t.equal(await text, 'Seven degrees in Oslo.')
        t.same(await service.items(id), TOOL_ITEMS)
        t.equal((await service.turns()).length, 2)
      }
    },
    {
      call: 'generateText, `conversation` in `providerOptions`',
      async check(t, service) {
        const { id } = await service.openai().conversations.create()
        service.answers({ text: 'Hello world' }, { text: 'Again' })
        const providerOptions = { turnkeeper: { conversation: id } }
        for (const prompt of ['Hi', 'And?'])
          await generateText({ model: provider(service), prompt, providerOptions })
        t.match(service.asked()[1]?.messages, [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello world' },
          { role: 'user', content: 'And?' }
        ])
        t.same(await service.items(id), [
          'user: Hi',
          'assistant: Hello world',
          'user: And?',
          'assistant: Again'
        ])
      }
    },
    {
      call: 'generateText, `Output.object`',
      async check(t, service) {
        service.answers({ text: '{"city":"Oslo"}' })
        const output = Output.object({ schema: City })
        const result = await generateText({ model: provider(service), prompt: 'Hi', output })
        t.same(result.output, { city: 'Oslo' })
        t.match(service.asked()[0]?.response_format, { type: 'json_schema' })
        t.match(await service.turns(), [{ ...KEPT, assistantText: '{"city":"Oslo"}' }])
      }
    },
    {
      call: 'generateObject',
      async check(t, service) {
        service.answers({ text: '{"city":"Oslo"}' })
        const { object } = await generateObject({ model: provider(service), prompt: 'Hi', schema: City })
        t.same(object, { city: 'Oslo' })
        t.match(await service.turns(), [{ ...KEPT, assistantText: '{"city":"Oslo"}' }])
      }
    },
    {
      call: 'streamText, reasoning',
      async check(t, service) {
        service.answers({ text: 'Hello world', reasoning: 'They greet me.' })
        const result = streamText({ model: provider(service), prompt: 'Hi' })
        t.equal(await result.text, 'Hello world')
        t.equal(await result.reasoningText, 'They greet me.')
        const [turn] = await service.turns()
        t.match(turn, KEPT)
        t.match(turn?.detail, { choices: [{ message: { reasoning_content: 'They greet me.' } }] })
      }
    },
    {
      call: 'generateText, tried again by the AI SDK',
      async check(t, service) {
        const answer = model([], { text: 'Hello world' })
        service.upstream((res, call, req) => {
          if (service.asked().length > 1) return answer(res, call, req)
          res.setHeader('retry-after-ms', '1')
          sendJson(res, 429, { error: { message: 'busy', type: 'rate_limit', param: null, code: null } })
        })
        const { text } = await generateText({ model: provider(service), prompt: 'Hi', maxRetries: 1 })
        t.equal(text, 'Hello world')
        const stored = await service.turns()
        t.match(stored, [{ status: 'failed', error: 'upstream_error' }, KEPT])
        t.equal(stored.length, 2, 'this SDK does not say that it tries again')
      }
    },
    {
      call: 'streamText, aborted',
      async check(t, service) {
        service.answers({ text: 'Hello world', endless: true })
        const controller = new AbortController()
        const { textStream } = streamText({
          model: provider(service),
          prompt: 'Hi',
          abortSignal: controller.signal,
          onError: () => {}
        })
        let text = ''
        for await (const piece of textStream) {
          text += piece
          if (text === 'Hello world') controller.abort()
        }
        t.equal(text, 'Hello world')
        t.match(await service.turns(), [{ ...KEPT, status: 'incomplete', error: 'client_disconnect' }])
      }
    }
  ]
}
