import { AIMessage, type BaseMessage, HumanMessage, type ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, type ChatOpenAIFields } from '@langchain/openai'
import { z } from 'zod'
import type { Client } from './client-call.ts'
import { type Answer, TOOL_ITEMS, TOOL_ROUND, weather } from './model.ts'
import type { Service } from './service.ts'

const KEPT = { status: 'completed', userText: 'Hi', assistantText: 'Hello world' }
const City = z.object({ city: z.string() })
const weatherTool = tool(weather, {
  name: 'weather',
  description: 'The weather in a city',
  schema: City
})

function chat({ baseURL, headers }: Service, fields: ChatOpenAIFields = {}, filedIn?: string) {
  const defaultHeaders = { ...headers, ...(filedIn && { 'x-conversation-id': filedIn }) }
  return new ChatOpenAI({
    model: 'm',
    apiKey: 'any',
    maxRetries: 0,
    configuration: { baseURL, defaultHeaders },
    ...fields
  })
}

/** The client's own loop: until the model asks for no tool any more. */
async function loop(model: ReturnType<ChatOpenAI['bindTools']>): Promise<string> {
  const messages: BaseMessage[] = [new HumanMessage('Weather?')]
  for (;;) {
    const answer = await model.invoke(messages)
    messages.push(answer)
    const calls = answer.tool_calls ?? []
    if (calls.length === 0) return answer.text
    for (const call of calls) messages.push((await weatherTool.invoke(call)) as ToolMessage)
  }
}

async function streamed(model: ChatOpenAI): Promise<string> {
  let text = ''
  for await (const chunk of await model.stream('Hi')) text += chunk.text
  return text
}

const RESPONSES = { useResponsesApi: true }
const HELLO: Answer = { text: 'Hello world' }

export const langchain: Client = {
  name: 'LangChain',
  packages: ['@langchain/openai', '@langchain/core'],
  calls: [
    {
      call: 'ChatOpenAI.invoke',
      async check(t, service) {
        service.answers(HELLO)
        const answer = await chat(service).invoke('Hi')
        t.equal(answer.text, 'Hello world')
        t.match(answer.usage_metadata, { total_tokens: 7 })
        t.match(await service.turns(), [{ ...KEPT, kind: 'chat' }])
      }
    },
    {
      call: 'ChatOpenAI.stream',
      async check(t, service) {
        service.answers(HELLO)
        t.equal(await streamed(chat(service)), 'Hello world')
        t.match(await service.turns(), [{ ...KEPT, kind: 'chat' }])
      }
    },
    {
      call: 'ChatOpenAI.bindTools, the loop of tool messages',
      async check(t, service) {
        const { id } = await service.openai().conversations.create()
        service.answers(...TOOL_ROUND)
        t.equal(await loop(chat(service, {}, id).bindTools([weatherTool])), 'Seven degrees in Oslo.')
        t.same(await service.items(id), TOOL_ITEMS)
        t.match(await service.turns(), [{ userText: 'Weather?' }, { userText: null }])
      }
    },
    {
      call: 'ChatOpenAI.withStructuredOutput',
      async check(t, service) {
        service.answers({ text: '{"city":"Oslo"}' })
        const model = chat(service).withStructuredOutput(City, { method: 'jsonSchema' })
        t.same(await model.invoke('Hi'), { city: 'Oslo' })
        t.match(await service.turns(), [{ ...KEPT, assistantText: '{"city":"Oslo"}' }])
      }
    },
    {
      call: 'ChatOpenAI, `conversation` in `modelKwargs`',
      async check(t, service) {
        const { id } = await service.openai().conversations.create()
        service.answers(HELLO, { text: 'Again' })
        const model = chat(service, { modelKwargs: { conversation: id } })
        await model.invoke('Hi')
        await model.invoke([new HumanMessage('Hi'), new AIMessage('Hello world'), new HumanMessage('And?')])
        t.match(service.asked()[1]?.messages, [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello world' },
          { role: 'user', content: 'And?' }
        ])
        t.same(
          await service.items(id),
          ['user: Hi', 'assistant: Hello world', 'user: And?', 'assistant: Again'],
          'what is sent again is not stored again'
        )
      }
    },
    {
      call: 'ChatOpenAI.invoke, `useResponsesApi`',
      async check(t, service) {
        service.answers(HELLO)
        const answer = await chat(service, RESPONSES).invoke('Hi')
        t.equal(answer.text, 'Hello world')
        t.match(await service.turns(), [
          { ...KEPT, kind: 'response', completionId: answer.response_metadata.id }
        ])
      }
    },
    {
      call: 'ChatOpenAI.stream, `useResponsesApi`',
      async check(t, service) {
        service.answers(HELLO)
        t.equal(await streamed(chat(service, RESPONSES)), 'Hello world')
        t.match(await service.turns(), [{ ...KEPT, kind: 'response' }])
      }
    },
    {
      call: 'ChatOpenAI.bindTools, `useResponsesApi`',
      async check(t, service) {
        const { id } = await service.openai().conversations.create()
        service.answers(...TOOL_ROUND)
        const model = chat(service, RESPONSES, id).bindTools([weatherTool])
        t.equal(await loop(model), 'Seven degrees in Oslo.')
        t.same(await service.items(id), TOOL_ITEMS)
        t.match(await service.turns(), [{ userText: 'Weather?' }, { userText: null }])
      }
    },
    {
      call: 'ChatOpenAI, `previous_response_id`',
      async check(t, service) {
        service.answers(HELLO, { text: 'Again' })
        const first = await chat(service, RESPONSES).invoke('Hi')
        const previous_response_id = String(first.response_metadata.id)
        const second = await chat(service, RESPONSES).invoke('And?', { previous_response_id })
        t.equal(second.text, 'Again')
        const stored = await service.turns()
        t.match(stored, [{ ...KEPT }, { parentSeq: 1, userText: 'And?' }])
        t.same(await service.items(stored[0]?.conversationId ?? ''), [
          'user: Hi',
          'assistant: Hello world',
          'user: And?',
          'assistant: Again'
        ])
      }
    }
  ]
}
