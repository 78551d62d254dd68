import t, { type Test } from 'tap'
import { allOf, failsWith, startClient } from '../helper/client.ts'

const idsOf = (entries: { id: string }[]) => entries.map(({ id }) => id)

async function withConversations(t: Test, count: number) {
  const running = await startClient(t)
  const made: string[] = []
  for (let i = 0; i < count; i += 1) {
    made.push((await running.client.conversations.create({ title: `Number ${i}` })).id)
  }
  return { ...running, made }
}

t.test('a conversation is made, read, changed and deleted', async (t) => {
  const { client } = await startClient(t)
  const { conversations } = client
  const empty = await conversations.create()
  t.match(empty, { object: 'conversation', title: null, last_seq: 0, pinned: false })
  const made = await conversations.create({
    title: 'Plans',
    metadata: { project: 'docs' },
    items: [{ type: 'message', role: 'user', content: 'Hello' }]
  })
  t.match(made, { title: 'Plans', metadata: { project: 'docs' }, last_seq: 1 })
  t.strictSame(await conversations.get(made.id), made)

  const changed = await conversations.update(made.id, { title: null, pinned: true })
  t.strictSame(changed, { ...made, title: null, pinned: true })
  t.strictSame(await conversations.get(made.id), changed)

  t.strictSame(await conversations.delete(made.id), {
    id: made.id,
    object: 'conversation.deleted',
    deleted: true
  })
  await failsWith(t, conversations.get(made.id), { status: 404, code: 'conversation_not_found' })
  t.strictSame(await allOf(conversations.list()), [empty])
})

t.test('a list gives every entry once, whatever the order and the size of its pages', async (t) => {
  const { client, made } = await withConversations(t, 103)
  const newestFirst = made.toReversed()
  for (const limit of [1, 7, 100, undefined]) {
    t.strictSame(idsOf(await allOf(client.conversations.list({ limit }))), newestFirst, `desc by ${limit}`)
    const asc = client.conversations.list({ limit, order: 'asc' })
    t.strictSame(idsOf(await allOf(asc)), made, `asc by ${limit}`)
    t.strictSame(idsOf(await allOf(asc)), made, 'and again from the beginning')
  }
  const from = client.conversations.list({ after: made[50] ?? '', order: 'asc', limit: 10 })
  t.strictSame(idsOf(await allOf(from)), made.slice(51), 'after a cursor')
})

t.test('with `before` a list goes backwards, nearest first', async (t) => {
  const { client, made } = await withConversations(t, 9)
  for (const limit of [1, 3, 4, 100]) {
    const older = client.conversations.list({ before: made[7] ?? '', order: 'asc', limit })
    t.strictSame(idsOf(await allOf(older)), made.slice(0, 7).toReversed(), `asc by ${limit}`)
    const newer = client.conversations.list({ before: made[2] ?? '', limit })
    t.strictSame(idsOf(await allOf(newer)), made.slice(3), `desc by ${limit}`)
  }
  const pages = await allOf(
    client.conversations.list({ before: made[7] ?? '', order: 'asc', limit: 3 }).pages()
  )
  t.strictSame(
    pages.map(({ data }) => idsOf(data)),
    [made.slice(4, 7), made.slice(1, 4), made.slice(0, 1)],
    'each page is in the order of the list'
  )
})

t.test("pages are the wire's, and are asked for one by one", async (t) => {
  const asked: string[] = []
  const { client, url } = await startClient(t, {
    fetch: (input, init) => {
      asked.push(String(input).split('?')[1] ?? '')
      return fetch(input, init)
    }
  })
  const made = [await client.conversations.create(), await client.conversations.create()]
  asked.length = 0
  const list = client.conversations.list({ limit: 1, order: 'asc' })
  t.strictSame(asked, [], 'nothing is asked before')
  const pages = list.pages()
  const first = await pages.next()
  t.strictSame(asked, ['limit=1&order=asc'])
  t.strictSame(first.value, await (await fetch(`${url}/v1/conversations?limit=1&order=asc`)).json())
  t.match(first.value, { object: 'list', has_more: true, last_id: made[0]?.id })
  t.match((await pages.next()).value, { has_more: false, data: [{ id: made[1]?.id }] })
  t.strictSame(await pages.next(), { done: true, value: undefined })
  t.equal(asked.length, 2, 'the last page says that it is the last')
  for await (const _ of list) break
  t.equal(asked.length, 3, 'who leaves asks no more')
})

t.test('a search finds by words, by metadata and by the pin', async (t) => {
  const { client } = await startClient(t)
  const metadata = { 'odd & [key]=': 'a value / of &=?#%+ signs', team: 'a' }
  const { id } = await client.conversations.create({ title: 'The capital of Norway', metadata })
  await client.conversations.create({ title: 'Another capital', metadata: { team: 'a' } })
  await client.conversations.update(id, { pinned: true })
  const found = async (query: Parameters<typeof client.conversations.list>[0]) =>
    idsOf(await allOf(client.conversations.list(query)))
  t.strictSame(await found({ q: 'norway capital' }), [id])
  t.strictSame(await found({ metadata }), [id])
  t.equal((await found({ metadata: { team: 'a' } })).length, 2)
  t.strictSame(await found({ metadata: { team: 'b' } }), [])
  t.strictSame(await found({ pinned: true }), [id])
  t.equal((await found({ pinned: false })).length, 1)
  await failsWith(t, allOf(client.conversations.list({ q: '…' })), { code: 'invalid_value', param: 'q' })
})

t.test('an id stays within its place in the path', async (t) => {
  const { client, url } = await startClient(t)
  const { id } = await client.conversations.create()
  for (const odd of [`${id}?x`, `${id}#x`, `${id}/turns`, '../models', '%2e%2e', 'a b', 'ü']) {
    await failsWith(t, client.conversations.get(odd), { status: 404, code: 'conversation_not_found' }, odd)
  }
  for (const none of ['', '.', '..']) {
    await t.rejects(client.conversations.delete(none), { name: 'TypeError' }, JSON.stringify(none))
    await t.rejects(allOf(client.turns.list(none)), { name: 'TypeError' })
  }
  t.equal((await fetch(`${url}/v1/conversations/${id}`)).status, 200)
})
