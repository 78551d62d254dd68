// LangChain: ChatOpenAI with its turns filed in one conversation, which is made beforehand.
//   npm install @langchain/openai @langchain/core && node examples/langchain.mjs
// Prints two answers, the second one streamed, and the questions that the conversation then holds.
import { ChatOpenAI } from '@langchain/openai'

const baseURL = process.env.TURNKEEPER_URL ?? 'http://127.0.0.1:3001/v1'

const { id } = await (await fetch(`${baseURL}/conversations`, { method: 'POST' })).json()
const model = new ChatOpenAI({
  model: process.env.MODEL ?? 'turnkeeper-demo',
  apiKey: 'any string',
  configuration: { baseURL, defaultHeaders: { 'x-conversation-id': id } }
})

const messages = [{ role: 'user', content: 'Name a river in Norway.' }]
const answer = await model.invoke(messages)
console.log(answer.text)

// The client sends the whole history; Turnkeeper keeps what is new in it.
messages.push(answer, { role: 'user', content: 'How long is it?' })
for await (const chunk of await model.stream(messages)) process.stdout.write(chunk.text)
process.stdout.write('\n')

const { data: turns } = await (await fetch(`${baseURL}/conversations/${id}/turns`)).json()
for (const { seq, user_text } of turns) console.log(`turn ${seq}: ${user_text}`)
