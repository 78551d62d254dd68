// The AI SDK: a chat that the client carries, and that becomes one conversation without a word about it.
//   npm install ai @ai-sdk/openai-compatible && node examples/ai-sdk.mjs
// Prints two streamed answers and how many turns the conversation then has.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { streamText } from 'ai'

const baseURL = process.env.TURNKEEPER_URL ?? 'http://127.0.0.1:3001/v1'
const model = createOpenAICompatible({ name: 'turnkeeper', baseURL })(process.env.MODEL ?? 'turnkeeper-demo')

const messages = []
let id
for (const content of ['Name a river in Norway.', 'How long is it?']) {
  messages.push({ role: 'user', content })
  const result = streamText({ model, messages })
  for await (const text of result.textStream) process.stdout.write(text)
  process.stdout.write('\n\n')

  // The history that goes along with the next question is what it is recognized by.
  const response = await result.response
  messages.push(...response.messages)
  id = response.headers['x-conversation-id']
}

const { data: turns } = await (await fetch(`${baseURL}/conversations/${id}/turns`)).json()
console.log(`${id} has ${turns.length} turns`)
