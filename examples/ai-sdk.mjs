// The AI SDK: a conversation that the client carries and Turnkeeper files under one id.
//   npm install ai @ai-sdk/openai-compatible && node examples/ai-sdk.mjs
// Prints two streamed answers and how many turns the conversation then has.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { streamText } from 'ai'

const baseURL = process.env.TURNKEEPER_URL ?? 'http://127.0.0.1:3001/v1'
const model = createOpenAICompatible({ name: 'turnkeeper', baseURL })(process.env.MODEL ?? 'turnkeeper-demo')

const messages = []
const headers = {}
for (const content of ['Name a river in Norway.', 'How long is it?']) {
  messages.push({ role: 'user', content })
  const result = streamText({ model, messages, headers })
  for await (const text of result.textStream) process.stdout.write(text)
  process.stdout.write('\n\n')

  const response = await result.response
  messages.push(...response.messages)
  // The first answer names the conversation; the next request says that it belongs there.
  headers['x-conversation-id'] = response.headers['x-conversation-id']
}

const id = headers['x-conversation-id']
const { data: turns } = await (await fetch(`${baseURL}/conversations/${id}/turns`)).json()
console.log(`${id} has ${turns.length} turns`)
