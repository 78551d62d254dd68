// An agent with a tool whose memory is a conversation: run it again with 'Which city was it?', and it knows.
//   npm install @openai/agents openai zod && node examples/agents-memory.mjs 'How warm is it in Oslo?'
// Prints how much it remembers, the calls of its tool, and the answer. The built-in demo never calls a tool.
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled, tool } from '@openai/agents'
import OpenAI from 'openai'
import { z } from 'zod'

const baseURL = process.env.TURNKEEPER_URL ?? 'http://127.0.0.1:3001/v1'
const client = new OpenAI({ baseURL, apiKey: 'any string' })
setDefaultOpenAIClient(client)
setTracingDisabled(true) // traces would go to OpenAI

const weather = tool({
  name: 'weather',
  description: 'The weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    console.log(`tool: the weather in ${city}`)
    return '7 °C'
  }
})
const agent = new Agent({
  name: 'Guide',
  model: process.env.MODEL ?? 'turnkeeper-demo',
  instructions: 'Be brief.',
  tools: [weather]
})

// Nothing is remembered here, not even an id: the conversation is found by its metadata.
const metadata = { memory_of: 'agents-memory' }
const found = await client.get('/conversations', { query: { metadata, limit: 1 } })
const conversation = found.data[0] ?? (await client.conversations.create({ metadata }))
console.log(`memory: ${conversation.last_seq} turns in ${conversation.id}`)

const question = process.argv[2] ?? 'How warm is it in Oslo?'
const result = await run(agent, question, { conversationId: conversation.id })
console.log(result.finalOutput)
