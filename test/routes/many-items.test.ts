import t from 'tap'
import { startStateful } from '../helper/stateful.ts'

const COUNT = 150_000
/** The bounds are not what is asked about here. */
const UNBOUNDED = { MAX_MESSAGES: '0', MAX_JSON_VALUES: '0' }

t.test('a turn of very many messages has an item for each, with an id of its own', async (t) => {
  const service = await startStateful(t, UNBOUNDED)
  const id = await service.create()
  const messages = Array.from({ length: COUNT }, () => ({ role: 'user', content: '' }))
  t.equal((await service.say(id, messages)).status, 200)
  const page = (await service.call(`/conversations/${id}/items?limit=2`)).json
  t.equal(page.data[0].role, 'assistant')
  t.equal(page.data[1].role, 'user')
  for (const item of page.data) {
    t.strictSame((await service.call(`/conversations/${id}/items/${item.id}`)).json, item)
  }
  const [before] = (await service.call(`/conversations/${id}/items?limit=1&after=${page.last_id}`)).json.data
  t.equal(before.role, 'user')
  t.not(before.id, page.last_id)
})

t.test('a history sent again is recognised however often it says the same', async (t) => {
  const service = await startStateful(t, UNBOUNDED)
  const id = await service.create()
  const same = Array.from({ length: 20_000 }, () => ({ role: 'user', content: 'again' }))
  await service.say(id, same)
  const [turn] = await service.turnsOf(id)
  const resent = [...same, { role: 'assistant', content: turn?.assistant_text ?? '' }]
  await service.say(id, [...resent, { role: 'user', content: 'new' }])
  t.equal((await service.turnsOf(id))[1]?.user_text, 'new')
})

t.test('a metadata key may have a line break', async (t) => {
  const service = await startStateful(t)
  const metadata = { 'a\nb': 'x', ok: 'y' }
  const id = await service.create({ metadata })
  t.strictSame((await service.call(`/conversations/${id}`)).json.metadata, metadata)
  await service.say(id, 'q', { metadata })
  t.strictSame((await service.turnsOf(id))[0]?.metadata, metadata)
})

t.test('a replayed call says its arguments once', async (t) => {
  const service = await startStateful(t, {}, (res) => {
    const call = { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'f', arguments: '{"a":1}' }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ id: 'resp_1', object: 'response', status: 'completed', output: [call] }))
  })
  const headers = { 'idempotency-key': 'k' }
  await service.respond('q', { stream: true }, headers)
  const replay = await service.respond('q', { stream: true }, headers)
  const events = replay.text
    .split('\n')
    .flatMap((line) => (line.startsWith('data:') ? JSON.parse(line.slice(5)) : []))
  const added = events.find(({ type }: { type: string }) => type === 'response.output_item.added')
  t.match(added.item, { status: 'in_progress', arguments: '' })
  t.match(events.at(-1), { type: 'response.completed', response: { output: [{ arguments: '{"a":1}' }] } })
})

t.test('a replay of a response whose items were deleted says what is left', async (t) => {
  const service = await startStateful(t)
  const headers = { 'idempotency-key': 'k' }
  const first = await service.respond('q', {}, headers)
  const id = first.headers.get('x-conversation-id') ?? ''
  const [asked] = await service.itemsOf(id)
  await service.call(`/conversations/${id}/items/${asked?.id}`, { method: 'DELETE' })
  const replay = await service.respond('q', {}, headers)
  t.match(replay.json, { status: 'completed', output: [{ role: 'assistant' }] })
})
