// The Responses API: `previous_response_id` continues, over an upstream that itself keeps nothing.
//   npm install openai && node examples/responses.mjs
// Prints two answers, the second one streamed, and what the model was sent for the second.
import OpenAI from 'openai'

const baseURL = process.env.TURNKEEPER_URL ?? 'http://127.0.0.1:3001/v1'
const model = process.env.MODEL ?? 'turnkeeper-demo'
const client = new OpenAI({ baseURL, apiKey: 'any string' })

const first = await client.responses.create({ model, input: 'Name a river in Norway.' })
console.log(first.output_text)

const stream = await client.responses.create({
  model,
  previous_response_id: first.id,
  input: 'How long is it?',
  stream: true
})
let secondId
for await (const event of stream) {
  if (event.type === 'response.output_text.delta') process.stdout.write(event.delta)
  if (event.type === 'response.completed') secondId = event.response.id
}
process.stdout.write('\n')

for await (const { role, content } of client.responses.inputItems.list(secondId, { order: 'asc' })) {
  console.log(`sent: ${role}: ${content[0].text.split('\n')[0]}`)
}
const { conversation } = await client.responses.retrieve(secondId)
console.log('both are in', conversation.id)
