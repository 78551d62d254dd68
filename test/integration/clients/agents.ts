import { Agent, OpenAIConversationsSession, OpenAIProvider, Runner, tool } from '@openai/agents'
import { z } from 'zod'
import type { Client } from './client-call.ts'
import { type Answer, THINKING_ROUND, TOOL_ITEMS, TOOL_ROUND, weather } from './model.ts'
import type { Service } from './service.ts'

const weatherTool = tool({
  name: 'weather',
  description: 'The weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: async (city) => weather(city)
})
const agent = new Agent({ name: 'Guide', model: 'm', instructions: 'Be brief.', tools: [weatherTool] })
const HELLO: Answer = { text: 'Hello world' }

function runner(service: Service, useResponses: boolean, filedIn?: string): Runner {
  const defaultHeaders = { ...service.headers, ...(filedIn && { 'x-conversation-id': filedIn }) }
  const modelProvider = new OpenAIProvider({ openAIClient: service.openai({ defaultHeaders }), useResponses })
  return new Runner({ modelProvider, tracingDisabled: true })
}

export const agents: Client = {
  name: 'OpenAI Agents SDK',
  packages: ['@openai/agents'],
  calls: [
    ...[true, false].flatMap((useResponses) => {
      const api = useResponses ? 'Responses' : 'Chat Completions'
      const kind = useResponses ? 'response' : 'chat'
      return [
        {
          call: `Runner.run with a tool, ${api}`,
          async check(t, service) {
            const { id } = await service.openai().conversations.create()
            service.answers(...TOOL_ROUND)
            const result = await runner(service, useResponses, id).run(agent, 'Weather?')
            t.equal(result.finalOutput, 'Seven degrees in Oslo.')
            const items = await service.items(id)
            t.same(items, useResponses ? TOOL_ITEMS : ['system: Be brief.', ...TOOL_ITEMS])
            t.match(await service.turns(), [
              { kind, status: 'completed', userText: 'Weather?' },
              { kind, status: 'completed', userText: null }
            ])
          }
        },
        {
          call: `Runner.run with a tool, streamed, ${api}`,
          async check(t, service) {
            service.answers(...TOOL_ROUND)
            const result = await runner(service, useResponses).run(agent, 'Weather?', { stream: true })
            let text = ''
            for await (const piece of result.toTextStream()) text += piece
            await result.completed
            t.equal(text, 'Seven degrees in Oslo.')
            t.equal(result.finalOutput, text)
            t.match(await service.turns(), [
              { kind, status: 'completed', userText: 'Weather?', assistantText: null },
              { kind, status: 'completed', assistantText: text }
            ])
          }
        }
      ] satisfies Client['calls']
    }),
    {
      call: 'Runner.run, `OpenAIConversationsSession`',
      async check(t, service) {
        const session = new OpenAIConversationsSession({ client: service.openai() })
        service.answers(...TOOL_ROUND, HELLO)
        const run = runner(service, false)
        await run.run(agent, 'Weather?', { session })
        await run.run(agent, 'Thanks', { session })
        t.match(service.asked()[2]?.messages, [
          { role: 'system' },
          { role: 'user' },
          { role: 'assistant', tool_calls: [{ id: 'call_oslo' }] },
          { role: 'tool', tool_call_id: 'call_oslo', content: '7 °C' },
          { role: 'assistant' },
          { role: 'user', content: 'Thanks' }
        ])
        const id = await session.getSessionId()
        t.same(await service.items(id), [...TOOL_ITEMS, 'user: Thanks', 'assistant: Hello world'])
        t.match(await session.popItem(), { role: 'assistant' })
        t.same(await service.items(id), [...TOOL_ITEMS, 'user: Thanks'])
        await session.clearSession()
        t.same(
          (await service.turns()).filter(({ conversationId }) => conversationId === id),
          []
        )
      }
    },
    {
      call: 'Runner.run, `OpenAIConversationsSession`, an existing conversation',
      async check(t, service) {
        const { id } = await service.openai().conversations.create()
        const session = new OpenAIConversationsSession({ client: service.openai(), conversationId: id })
        service.answers(...TOOL_ROUND, HELLO)
        const run = runner(service, true)
        await run.run(agent, 'Weather?', { session })
        await run.run(agent, 'Thanks', { session })
        t.match(service.asked()[2]?.input, { length: 5 })
        t.same(await service.items(id), [...TOOL_ITEMS, 'user: Thanks', 'assistant: Hello world'])
      }
    },
    {
      call: 'Runner.run, `OpenAIConversationsSession` and `store: false`',
      async check(t, service) {
        const unrecorded = agent.clone({ modelSettings: { store: false } })
        for (const useResponses of [true, false]) {
          const session = new OpenAIConversationsSession({
            client: service.openai(),
            conversationId: await empty()
          })
          service.answers(...TOOL_ROUND)
          await runner(service, useResponses).run(unrecorded, 'Weather?', { session })
          t.same(await service.items(await session.getSessionId()), TOOL_ITEMS)
        }
        const stored = await service.turns()
        t.ok(stored.every(({ kind }) => kind === 'items'))
        t.equal(new Set(stored.map(({ conversationId }) => conversationId)).size, 2, 'all is kept once')

        async function empty(): Promise<string> {
          return (await service.openai().conversations.create()).id
        }
      }
    },
    {
      call: 'Runner.run with a tool, a model that reasons, Responses',
      async check(t, service) {
        service.answers(...THINKING_ROUND)
        const result = await runner(service, true).run(agent, 'Weather?')
        t.equal(result.finalOutput, 'Seven degrees in Oslo.')
        t.match(await service.turns(), [
          { userText: 'Weather?', assistantText: null },
          { assistantText: 'Seven degrees in Oslo.' }
        ])
      }
    },
    {
      call: 'Runner.run, `OpenAIConversationsSession`, a model that reasons, Responses',
      async check(t, service) {
        const session = new OpenAIConversationsSession({ client: service.openai() })
        service.answers({ text: 'Hello world', reasoning: 'They greet me.' }, { text: 'Bye' })
        const sealed = new Agent({
          name: 'Thinker',
          model: 'm',
          modelSettings: { providerData: { include: ['reasoning.encrypted_content'] } }
        })
        const run = runner(service, true)
        await run.run(sealed, 'Hi', { session })
        const result = await run.run(sealed, 'Thanks', { session })
        t.equal(result.finalOutput, 'Bye')
        t.same(await service.items(await session.getSessionId()), [
          'user: Hi',
          'reasoning',
          'assistant: Hello world',
          'user: Thanks',
          'assistant: Bye'
        ])
      }
    },
    {
      call: 'Runner.run, `conversationId`',
      async check(t, service) {
        const { id: conversationId } = await service.openai().conversations.create()
        service.answers(...TOOL_ROUND, HELLO)
        const run = runner(service, true)
        await run.run(agent, 'Weather?', { conversationId })
        await run.run(agent, 'Thanks', { conversationId })
        t.same(await service.items(conversationId), [...TOOL_ITEMS, 'user: Thanks', 'assistant: Hello world'])
        t.equal((await service.turns()).length, 3)
      }
    },
    {
      call: 'Runner.run, `previousResponseId`',
      async check(t, service) {
        service.answers(...TOOL_ROUND, HELLO)
        const run = runner(service, true)
        const first = await run.run(agent, 'Weather?')
        const previousResponseId = first.lastResponseId ?? ''
        await run.run(agent, 'Thanks', { previousResponseId })
        const stored = await service.turns()
        t.equal(stored.length, 3)
        const last = stored.at(-1)
        t.match(last, { userText: 'Thanks', assistantText: 'Hello world', kind: 'response' })
        t.equal(
          last?.conversationId,
          stored.find(({ completionId }) => completionId === previousResponseId)?.conversationId
        )
      }
    }
  ]
}
