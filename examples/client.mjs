// Turnkeeper's own client: find conversations, stream an answer, end with the turn as it is stored, page the turns.
//   node examples/client.mjs     (needs nothing installed: it is the folder client/)
// Prints a streamed answer, its stored turn, the turns page by page, and what a search finds.
import { createClient } from '../client/index.js'

const baseUrl = process.env.TURNKEEPER_URL ?? 'http://127.0.0.1:3001/v1'
const model = process.env.MODEL ?? 'turnkeeper-demo'
const client = createClient({ baseUrl })

const { id: conversation } = await client.conversations.create({ title: 'Rivers' })
for (const content of ['Name a river in Norway.', 'How long is it?']) {
  const stream = client.chat.stream({ model, conversation, messages: [{ role: 'user', content }] })
  for await (const text of stream) process.stdout.write(text)
  const turn = await stream.turn()
  console.log(`\n\nturn ${turn.seq} is stored: ${turn.status}, ${turn.assistant_text.length} characters\n`)
}

// The last answer anew: it follows turn 1 again, and turn 2 is superseded.
const messages = [{ role: 'user', content: 'How long is it?' }]
const anew = client.chat.stream({ model, conversation, messages }, { parentSeq: 1 })
console.log(`turn ${(await anew.turn()).seq} replaces turn 2`)

const turns = client.turns.list(conversation, { limit: 2, include: 'superseded' })
for await (const { data, has_more } of turns.pages()) {
  for (const { seq, superseded } of data) console.log(`turn ${seq}${superseded ? ', superseded' : ''}`)
  console.log(has_more ? '-- next page' : '-- end')
}

for await (const { title, last_seq } of client.conversations.list({ q: 'river norway' })) {
  console.log(`found: ${title}, newest turn ${last_seq}`)
}
await client.conversations.delete(conversation)
