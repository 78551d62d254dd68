import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { startStateful, told } from '../helper/stateful.ts'
import { delta, sendJson, startSse } from '../helper/upstream.ts'

const ITEM_ID = /^[a-z]+_[0-9a-f]{46}$/

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: a turn is the user's message and the assistant's`, async (t) => {
    const { create, say, call, turnsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
    const id = await create()
    await say(id, 'Hi')
    const { status, json } = await call(`/conversations/${id}/items`)
    t.equal(status, 200)
    const [assistant, user] = json.data
    t.strictSame(json, {
      object: 'list',
      data: [
        {
          type: 'message',
          role: 'assistant',
          content: [{ type: 'output_text', text: 're: Hi', annotations: [], logprobs: [] }],
          id: assistant.id,
          status: 'completed'
        },
        {
          type: 'message',
          role: 'user',
          content: [{ type: 'input_text', text: 'Hi' }],
          id: user.id,
          status: 'completed'
        }
      ],
      first_id: assistant.id,
      last_id: user.id,
      has_more: false
    })
    t.match([assistant.id, user.id], [/^msg_/, /^msg_/])
    t.ok(ITEM_ID.test(user.id) && user.id !== assistant.id)
    t.equal(user.id.slice(4, 36), (await turnsOf(id))[0]?.id.slice(5), 'its id names its turn')
  })

  t.test(
    `${name}: items that are added come back as they were, in their order, under ids that stay`,
    async (t) => {
      const { create, call, itemsOf, say } = await startStateful(t, { DB_URL: await makePlace(t) })
      const id = await create()
      const items = [
        { type: 'message', role: 'system', content: 'Be kind.' },
        { role: 'user', content: [{ type: 'input_text', text: 'One' }] },
        { type: 'reasoning', id: 'rs_theirs', summary: [{ type: 'summary_text', text: 'hm' }] },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}' },
        { type: 'function_call_output', call_id: 'c1', output: '7' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Seven' }] },
        { role: 'user', content: 'Thanks' }
      ]
      const added = await call(`/conversations/${id}/items`, { body: { items } })
      t.equal(added.status, 200)
      const { data, first_id, last_id, has_more } = added.json
      t.strictSame([first_id, last_id, has_more], [data[0].id, data.at(-1).id, false])
      t.match(data, [
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Be kind.' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'One' }] },
        { type: 'reasoning', summary: [{ text: 'hm' }] },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}', status: 'completed' },
        { type: 'function_call_output', call_id: 'c1', output: '7' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Seven' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Thanks' }] }
      ])
      t.equal(data.length, items.length)
      t.equal(new Set(data.map((item: { id: string }) => item.id)).size, items.length)
      t.strictSame(await itemsOf(id), data, 'the list says the same')
      await say(id, 'More')
      t.strictSame((await itemsOf(id)).slice(0, items.length), data, 'and still does after another turn')
      for (const item of data) {
        const { json } = await call(`/conversations/${id}/items/${item.id}`)
        t.strictSame(json, item, `${item.type} by its id`)
      }
    }
  )
}

t.test('a conversation can begin with items, and takes its title from them', async (t) => {
  const { call, itemsOf } = await startStateful(t)
  const items = [
    { role: 'user', content: '  What is\n tea? ' },
    { role: 'assistant', content: 'Leaves.' }
  ]
  const { json } = await call('/conversations', { body: { items, metadata: { a: 'b' } } })
  t.match(json, { title: 'What is tea?', last_seq: 1, metadata: { a: 'b' } })
  t.strictSame(told(await itemsOf(json.id)), ['user:   What is\n tea? ', 'assistant: Leaves.'])
  t.equal((await call('/conversations', { body: { items: null } })).status, 200)
})

t.test('failed and replaced turns have no items; one that broke off has what had come', async (t) => {
  const { create, say, upstream, itemsOf, call } = await startStateful(t)
  const id = await create()
  await say(id, 'One')
  const replaced = await itemsOf(id)
  await say(id, 'One again', {}, { 'x-parent-seq': '0' })
  const { script } = upstream
  upstream.script = (res) => sendJson(res, 500, { error: { message: 'no' } })
  await say(id, 'Failing')
  upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'ha' }))
  }
  await say(id, 'Cut', { stream: true })
  upstream.script = script
  const items = await itemsOf(id)
  t.strictSame(told(items), ['user: One again', 'assistant: re: One again', 'user: Cut', 'assistant: ha'])
  t.strictSame(
    items.map((item) => item.status),
    ['completed', 'completed', 'completed', 'incomplete']
  )
  for (const { id: gone } of replaced) {
    t.equal((await call(`/conversations/${id}/items/${gone}`)).status, 404)
    t.equal((await call(`/conversations/${id}/items/${gone}`, { method: 'DELETE' })).status, 404)
  }
})

t.test("the official SDK's item calls work", async (t) => {
  const { client } = await startStateful(t)
  const { id } = await client.conversations.create({
    items: [{ role: 'user', content: 'Hi', type: 'message' }]
  })
  const added = await client.conversations.items.create(id, {
    items: [
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'done' }
    ]
  })
  t.match(added.data, [{ type: 'function_call' }, { type: 'function_call_output', output: 'done' }])
  const listed = []
  for await (const item of client.conversations.items.list(id, { limit: 1, order: 'asc' })) listed.push(item)
  t.match(listed, [{ role: 'user' }, { type: 'function_call' }, { type: 'function_call_output' }])
  t.equal(listed.length, 3)
  const call = listed[1] as { id: string }
  const options = { conversation_id: id }
  t.match(await client.conversations.items.retrieve(call.id, options), { name: 'f', call_id: 'c' })
  t.match(await client.conversations.items.delete(call.id, options), { id, object: 'conversation' })
  const left = await client.conversations.items.list(id)
  t.strictSame(
    left.data.map(({ type }) => type),
    ['function_call_output', 'message']
  )
})
