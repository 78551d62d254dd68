import t from 'tap'
import { allOf, failsWith, HI, startClient } from '../helper/client.ts'

const seqsOf = (turns: { seq: number }[]) => turns.map(({ seq }) => seq)
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

t.test('a history of more than a hundred turns is read in both orders', async (t) => {
  const { client } = await startClient(t)
  const { id } = await client.conversations.create()
  for (const _ of upTo(103)) await client.chat.create({ messages: HI }, { conversationId: id })
  for (const limit of [1, 20, 100, undefined]) {
    t.strictSame(seqsOf(await allOf(client.turns.list(id, { limit }))), upTo(103), `asc by ${limit}`)
    const desc = await allOf(client.turns.list(id, { limit, order: 'desc' }))
    t.strictSame(seqsOf(desc), upTo(103).toReversed(), `desc by ${limit}`)
  }
  const within = { after_seq: 10, before_seq: 20, limit: 4 }
  t.strictSame(seqsOf(await allOf(client.turns.list(id, within))), upTo(19).slice(10))
  const back = await allOf(client.turns.list(id, { ...within, order: 'desc' }))
  t.strictSame(seqsOf(back), upTo(19).slice(10).toReversed())
})

t.test('pages that end early, because they would be too large, are not the end', async (t) => {
  const { client } = await startClient(t, { settings: { MAX_PAGE_BYTES: '5000' } })
  const { id } = await client.conversations.create()
  for (const length of [10, 3_000, 3_000, 9_000, 1, 3_000]) {
    const messages = [{ role: 'user', content: 'q'.repeat(length) }]
    await client.chat.create({ messages }, { conversationId: id })
  }
  for (const order of ['asc', 'desc'] as const) {
    const list = client.turns.list(id, { order, limit: 100 })
    const expected = order === 'asc' ? upTo(6) : upTo(6).toReversed()
    t.strictSame(seqsOf(await allOf(list)), expected, order)
    const pages = await allOf(list.pages())
    t.ok(pages.length >= 4, `${order}: ${pages.length} pages`)
    t.strictSame(
      pages.map(({ has_more }) => has_more),
      pages.map((_, i) => i < pages.length - 1)
    )
  }
})

t.test('one turn is read by its number, superseded or not', async (t) => {
  const { client, turnsOf } = await startClient(t)
  const { filed } = await client.chat.create({ messages: HI })
  const id = filed?.conversationId ?? ''
  for (const _ of upTo(2)) await client.chat.create({ messages: HI }, { conversationId: id, parentSeq: 0 })
  const stored = await turnsOf(id)
  t.strictSame(
    stored.map(({ superseded }) => superseded),
    [true, true, false]
  )
  for (const turn of stored) t.strictSame(await client.turns.get(id, turn.seq), turn)
  t.strictSame(seqsOf(await allOf(client.turns.list(id))), [3])
  t.strictSame(seqsOf(await allOf(client.turns.list(id, { include: 'superseded', limit: 1 }))), [1, 2, 3])
  for (const seq of [0, -1, 4, 1_000]) {
    await failsWith(t, client.turns.get(id, seq), { status: 404, code: 'turn_not_found' }, `${seq}`)
  }
  await failsWith(t, client.turns.get('conv_none', 1), { status: 404, code: 'conversation_not_found' })
  await failsWith(t, allOf(client.turns.list('conv_none')), { code: 'conversation_not_found' })
})
