import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { startStateful } from '../helper/stateful.ts'
import { completion, sendJson } from '../helper/upstream.ts'

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(
    `${name}: of completions with the same id the newest goes by it, the others by their turn's`,
    async (t) => {
      let count = 0
      const { chat, call } = await startStateful(t, { DB_URL: await makePlace(t) }, (res) => {
        count += 1
        sendJson(res, 200, { ...completion(`answer ${count}`), id: 'chatcmpl-123' })
      })
      const turns: (string | null)[] = []
      for (const key of ['a', 'b', 'c']) {
        const answer = await chat({ metadata: { key } })
        await answer.text()
        turns.push(answer.headers.get('x-turn-id'))
      }
      const ids = [turns[0], turns[1], 'chatcmpl-123']
      const listed = async (query = '') =>
        (await call(`/chat/completions${query}`)).json.data.map((entry: { id: string }) => entry.id)
      t.strictSame(await listed(), ids)
      const said = async (id?: string | null) =>
        (await call(`/chat/completions/${id}`)).json.choices[0].message.content
      t.strictSame(await Promise.all(ids.map(said)), ['answer 1', 'answer 2', 'answer 3'])
      for (const [index, id] of ids.entries()) {
        t.strictSame(await listed(`?after=${id}`), ids.slice(index + 1), `after ${id}`)
        t.strictSame(await listed(`?order=desc&after=${id}`), ids.slice(0, index).toReversed())
      }
      t.strictSame(await listed('?metadata[key]=b'), [turns[1]], 'however the list is narrowed')
      await call('/chat/completions/chatcmpl-123', { method: 'DELETE' })
      t.strictSame(await listed(), [turns[0], 'chatcmpl-123'], 'the next older one has the id then')
      t.equal(await said('chatcmpl-123'), 'answer 2')
    }
  )
}

t.test('a completion without an id goes by that of its turn', async (t) => {
  const { chat, call } = await startStateful(t, {}, (res) =>
    sendJson(res, 200, { choices: [{ message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' }] })
  )
  const answer = await chat()
  await answer.text()
  const id = answer.headers.get('x-turn-id')
  t.strictSame((await call('/chat/completions')).json.first_id, id)
  t.match((await call(`/chat/completions/${id}`)).json, { id, model: 'm' })
})

t.test('a query or a body that cannot be is a 400 that names the field', async (t) => {
  const { chat, call } = await startStateful(t)
  await (await chat()).text()
  const at = '/chat/completions'
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']))
  const inQuery = (metadata: Record<string, string>) =>
    Object.entries(metadata)
      .map(([key, value]) => `metadata[${key}]=${value}`)
      .join('&')
  const queries: [path: string, query: string, param: string | RegExp, code?: string][] = [
    ...['', `/chatcmpl-1/messages`].flatMap((path) => [
      ...['0', '101', 'x', ''].map((limit): [string, string, string] => [path, `limit=${limit}`, 'limit']),
      [path, 'order=newest', 'order'] as [string, string, string],
      [path, 'page=2', 'page', 'unknown_parameter'] as [string, string, string, string]
    ]),
    ['', 'after=x', 'after'],
    ['', 'after=', 'after'],
    ['', `after=turn_${'0'.repeat(32)}`, 'after'],
    ['', 'metadata=x', 'metadata'],
    ['', 'metadata[]=x', 'metadata'],
    ['', 'metadata[k][l]=x', /^metadata/],
    ['', `metadata[${'k'.repeat(65)}]=x`, /^metadata/],
    ['', `metadata[k]=${'v'.repeat(513)}`, 'metadata.k'],
    ['', inQuery(pairs(17)), 'metadata'],
    ['', 'model[]=m', 'model']
  ]
  for (const [path, query, param, code = 'invalid_value'] of queries) {
    const res = await call(`${at}${path}?${query}`)
    const shown = typeof param === 'string' ? { code, param } : { param }
    isErrorReply(t, res, 400, shown, `${path}?${query.slice(0, 40)}`)
  }
  const bodies: [body: unknown, param: string, code?: string][] = [
    [{}, 'metadata', 'missing_required_parameter'],
    [{ metadata: 'x' }, 'metadata'],
    [{ metadata: { k: 1 } }, 'metadata.k'],
    [{ metadata: { k: 'v'.repeat(513) } }, 'metadata.k'],
    [{ metadata: pairs(17) }, 'metadata'],
    [{ metadata: { ['k'.repeat(65)]: 'v' } }, `metadata.${'k'.repeat(65)}`, 'unknown_parameter'],
    [{ metadata: {}, title: 'x' }, 'title', 'unknown_parameter']
  ]
  for (const [body, param, code = 'invalid_value'] of bodies) {
    const res = await call(`${at}/chatcmpl-1`, { body })
    isErrorReply(t, res, 400, { code, param }, JSON.stringify(body).slice(0, 40))
  }
  const most = { ...pairs(15), ['k'.repeat(64)]: 'v'.repeat(512) }
  t.strictSame((await call(`${at}/chatcmpl-1`, { body: { metadata: most } })).json.metadata, most)
  t.equal((await call(`${at}?${inQuery(most)}`)).json.data.length, 1)
})

t.test("the official SDK's calls for stored completions work", async (t) => {
  const { client } = await startStateful(t)
  const { completions } = client.chat
  const messages = [{ role: 'user' as const, content: 'Hi' }]
  for (const topic of ['tea', 'tea', 'milk'])
    await completions.create({ model: 'm', messages, store: true, metadata: { topic } })
  const listed = []
  for await (const entry of completions.list({ limit: 1, metadata: { topic: 'tea' }, model: 'm' }))
    listed.push(entry.id)
  t.strictSame(listed, ['chatcmpl-1', 'chatcmpl-2'])
  t.match(await completions.retrieve('chatcmpl-1'), { choices: [{ message: { content: 're: Hi' } }] })
  t.match(await completions.update('chatcmpl-1', { metadata: { a: 'b' } }), { metadata: { a: 'b' } })
  const { data } = await completions.messages.list('chatcmpl-1')
  t.match(data, [{ id: 'chatcmpl-1-0', role: 'user', content: 'Hi' }])
  t.match(await completions.delete('chatcmpl-1'), { id: 'chatcmpl-1', deleted: true })
})
