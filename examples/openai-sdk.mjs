// OpenAI's SDK over Turnkeeper: stream, continue, and read back what was kept.
//   npm install openai && node examples/openai-sdk.mjs
// Prints two streamed answers, then the turns, the items and the stored completions that they made.
import OpenAI from 'openai'

const baseURL = process.env.TURNKEEPER_URL ?? 'http://127.0.0.1:3001/v1'
const model = process.env.MODEL ?? 'turnkeeper-demo'
const client = new OpenAI({ baseURL, apiKey: 'any string' })

/** Streams the answer to the terminal; resolves to the id of the conversation in which it is kept. */
async function ask(content, fields) {
  const { data: stream, response } = await client.chat.completions
    .create({ model, stream: true, messages: [{ role: 'user', content }], ...fields })
    .withResponse()
  for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
  process.stdout.write('\n\n')
  return response.headers.get('x-conversation-id')
}

// A header of the first answer names the conversation that it started. With `conversation` the server puts the
// history in front of what is new.
const metadata = { example: 'openai-sdk' }
const conversation = await ask('Name a river in Norway.', { metadata })
await ask('How long is it?', { conversation, metadata })

// Turns are Turnkeeper's own, one for each exchange.
const { data: turns } = await client.get(`/conversations/${conversation}/turns`)
for (const { seq, status, user_text } of turns) console.log(`turn ${seq}, ${status}: ${user_text}`)

// Conversations and their items are OpenAI's.
const { title } = await client.conversations.update(conversation, { metadata: { topic: 'rivers' } })
console.log(`conversation: ${title}`)
for await (const item of client.conversations.items.list(conversation, { order: 'asc' })) {
  console.log(`item: ${item.type} of the ${item.role}`)
}

// So are stored completions.
for await (const { id, choices } of client.chat.completions.list({ metadata })) {
  console.log(`completion: ${id}, ${choices[0].message.content.length} characters`)
}

console.log('deleted:', (await client.conversations.delete(conversation)).deleted)
