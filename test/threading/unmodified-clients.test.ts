import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { HumanMessage } from '@langchain/core/messages'
import { tool as langchainTool } from '@langchain/core/tools'
import { ChatOpenAI } from '@langchain/openai'
import { Agent, tool as agentTool, user as agentUser, OpenAIProvider, Runner } from '@openai/agents'
import { tool as aiTool, type ModelMessage, stepCountIs, streamText } from 'ai'
import { createAgent } from 'langchain'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { startApp } from '../helper/app.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { completion, delta, finish, sendJson, startSse, startUpstream } from '../helper/upstream.ts'

const CITY = z.object({ city: z.string() })
const DESCRIPTION = { name: 'weather', description: 'The weather in a city' }

interface Asked {
  stream?: boolean
  messages: { role: string; content: unknown }[]
  tools?: unknown[]
}

/**
 * The service in front of a model that asks for the weather of Oslo and of Rome at once where a question has the word in
 * it and there are tools, and else answers with a text of its own each time.
 */
async function start(t: Test, url: string) {
  let answers = 0
  const upstream = await startUpstream(t, (res, { body }) => {
    const { stream, messages, tools } = JSON.parse(body) as Asked
    answers += 1
    const last = messages.at(-1)
    const asksWeather = last?.role === 'user' && JSON.stringify(last.content).includes('weather')
    const calls = ['Oslo', 'Rome'].map((city, index) => ({
      index,
      id: `call_${answers}_${index}`,
      type: 'function',
      function: { name: 'weather', arguments: JSON.stringify({ city }) }
    }))
    const message =
      tools && asksWeather
        ? { content: null, tool_calls: calls }
        : { content: `Answer ${answers}, unlike any that was given before it.` }
    const reason = 'tool_calls' in message ? 'tool_calls' : 'stop'
    if (!stream) return sendJson(res, 200, { ...completion(null, message), id: `chatcmpl-${answers}` })
    startSse(res)
    res.write(delta({ role: 'assistant', ...message }))
    res.end(`${finish(reason)}data: [DONE]\n\n`)
  })
  const { app, url: base } = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: url })
  return {
    baseURL: `${base}/v1`,
    /** Of each conversation the turns' questions, in brackets where another turn has taken the place. */
    async conversations() {
      const { data } = await app.store.listConversations('local', { limit: 100, order: 'asc' })
      return await Promise.all(
        data.map(async ({ id }) => {
          const page = { limit: 100, order: 'asc', includeSuperseded: true } as const
          const turns = (await app.store.listTurns('local', id, page))?.data ?? []
          return turns.map(({ userText, superseded }) => {
            const asked = userText ?? 'results'
            return superseded ? `(${asked})` : asked
          })
        })
      )
    }
  }
}

for (const [driver, place] of Object.entries(DRIVERS)) {
  t.test(`${driver}: a chat loop of the openai package`, async (t) => {
    const { baseURL, conversations } = await start(t, await place(t))
    const client = new OpenAI({ baseURL, apiKey: 'any' })
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'system', content: 'Be brief.' }]
    const answer = async () => {
      const stream = client.chat.completions.stream({ model: 'm', messages })
      const { content } = (await stream.finalChatCompletion()).choices[0]?.message ?? {}
      return { role: 'assistant', content: content ?? '' } as const
    }
    for (const content of ['one', 'two', 'three']) {
      messages.push({ role: 'user', content })
      messages.push(await answer())
    }
    t.same(await conversations(), [['one', 'two', 'three']])
    messages.pop()
    messages.push(await answer())
    t.same(await conversations(), [['one', 'two', '(three)', 'three']], 'the last answer once more')
    messages.splice(3, 4, { role: 'user', content: 'two, edited' })
    messages.push(await answer())
    t.same(await conversations(), [['one', '(two)', '(three)', '(three)', 'two, edited']])
  })

  t.test(`${driver}: a chat of the AI SDK, with tools`, async (t) => {
    const { baseURL, conversations } = await start(t, await place(t))
    const model = createOpenAICompatible({ name: 'turnkeeper', baseURL })('m')
    const tools = {
      weather: aiTool({ ...DESCRIPTION, inputSchema: CITY, execute: async ({ city }) => `${city}: 7 °C` })
    }
    const messages: ModelMessage[] = []
    const answer = async () => {
      const result = streamText({ model, messages, tools, stopWhen: stepCountIs(5) })
      await result.consumeStream()
      return (await result.response).messages
    }
    for (const content of ['one', 'the weather?', 'three']) {
      messages.push({ role: 'user', content })
      messages.push(...(await answer()))
    }
    t.same(await conversations(), [['one', 'the weather?', 'results', 'three']])
    messages.pop()
    messages.push(...(await answer()))
    t.same(await conversations(), [['one', 'the weather?', 'results', '(three)', 'three']])
  })

  t.test(`${driver}: an agent of LangChain, with tools`, async (t) => {
    const { baseURL, conversations } = await start(t, await place(t))
    const model = new ChatOpenAI({ model: 'm', apiKey: 'any', configuration: { baseURL } })
    const weather = langchainTool(({ city }: { city: string }) => `${city}: 7 °C`, {
      ...DESCRIPTION,
      schema: CITY
    })
    const agent = createAgent({ model, tools: [weather], systemPrompt: 'Be brief.' })
    let messages = (await agent.invoke({ messages: [new HumanMessage('the weather?')] })).messages
    for (const content of ['two', 'the weather once more?'])
      messages = (await agent.invoke({ messages: [...messages, new HumanMessage(content)] })).messages
    const all = ['the weather?', 'results', 'two', 'the weather once more?']
    t.same(await conversations(), [[...all, 'results']])
    await agent.invoke({ messages: messages.slice(0, -1) }) // what the tools gave, once more
    t.same(await conversations(), [[...all, '(results)', 'results']])
  })

  t.test(`${driver}: an agent of OpenAI's Agents SDK, with tools`, async (t) => {
    const { baseURL, conversations } = await start(t, await place(t))
    const modelProvider = new OpenAIProvider({ apiKey: 'any', baseURL, useResponses: false })
    const runner = new Runner({ modelProvider, tracingDisabled: true })
    const weather = agentTool({
      ...DESCRIPTION,
      parameters: CITY,
      execute: async ({ city }: { city: string }) => `${city}: 7 °C`
    })
    const agent = new Agent({ name: 'Guide', instructions: 'Be brief.', model: 'm', tools: [weather] })
    const first = await runner.run(agent, [agentUser('the weather?')])
    await runner.run(agent, [...first.history, agentUser('two')])
    t.same(await conversations(), [['the weather?', 'results', 'two']])
  })
}
