import t from 'tap'
import { isErrorReply } from '../helper/request.ts'
import { startStateful } from '../helper/stateful.ts'

const IMAGE = 'https://a.test/i.png'
const LOGPROBS = [{ token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [] }]
const HIDDEN = [
  { role: 'user', content: [{ type: 'input_image', image_url: IMAGE, detail: 'low' }] },
  { type: 'reasoning', summary: [], encrypted_content: 'gAAA' },
  { role: 'assistant', content: [{ type: 'output_text', text: 'a', annotations: [], logprobs: LOGPROBS }] }
]

t.test('images, encrypted reasoning and logprobs are shown where they are asked for', async (t) => {
  const { call } = await startStateful(t)
  const { id } = (await call('/conversations', { body: { items: HIDDEN } })).json
  const at = `/conversations/${id}/items`
  const names = {
    image: 'message.input_image.image_url',
    reasoning: 'reasoning.encrypted_content',
    logprobs: 'message.output_text.logprobs'
  }
  const asked: [query: string, shown: string[]][] = [
    ['', []],
    [`include=${names.image}`, ['image']],
    [`include[]=${names.reasoning}`, ['reasoning']],
    [`include[]=${names.logprobs}&include[]=${names.image}`, ['logprobs', 'image']],
    [`include=${names.image}&include=${names.reasoning}`, ['image', 'reasoning']],
    ['include[]=file_search_call.results&include[]=code_interpreter_call.outputs', []]
  ]
  for (const [query, shown] of asked) {
    const { data } = (await call(`${at}?order=asc&${query}`)).json
    const [user, reasoning, assistant] = data
    t.strictSame(
      [user.content[0].image_url, reasoning.encrypted_content, assistant.content[0].logprobs],
      [
        shown.includes('image') ? IMAGE : null,
        shown.includes('reasoning') ? 'gAAA' : undefined,
        shown.includes('logprobs') ? LOGPROBS : []
      ],
      `shown with '${query}'`
    )
    for (const item of data) {
      t.strictSame((await call(`${at}/${item.id}?${query}`)).json, item, `${item.type} by its id`)
    }
  }
  const added = await call(`${at}?include[]=${names.image}`, { body: { items: HIDDEN } })
  t.equal(added.json.data[0].content[0].image_url, IMAGE, 'when it is added too')
})

t.test('what include does not know is a 400 that names it', async (t) => {
  const { call, create, itemsOf } = await startStateful(t)
  const id = await create({ items: HIDDEN })
  const at = `/conversations/${id}/items`
  const [item] = await itemsOf(id)
  for (const path of [at, `${at}/${item?.id}`]) {
    for (const query of [
      'include=all',
      'include[]=x',
      'include=',
      'include[a]=reasoning.encrypted_content'
    ]) {
      const res = await call(`${path}?${query}`)
      isErrorReply(t, res, 400, { code: 'invalid_value', param: /^include/ }, query)
    }
  }
})

const CALL = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
const RESULT = { type: 'function_call_output', call_id: 'c', output: 'x' }
const BAD: [name: string, item: unknown, field: string][] = [
  ['no role', { content: 'x' }, 'role'],
  ['a role of chats', { role: 'tool', content: 'x' }, 'role'],
  ['no content', { role: 'user' }, 'content'],
  ['content that is null', { role: 'user', content: null }, 'content'],
  ['content that is a number', { role: 'user', content: 7 }, 'content'],
  ['content of numbers', { role: 'user', content: [7] }, 'content'],
  ['a call without an id', { ...CALL, call_id: undefined }, 'call_id'],
  ['a call without a name', { ...CALL, name: 7 }, 'name'],
  ['a call without arguments', { ...CALL, arguments: {} }, 'arguments'],
  ['a result without an id', { ...RESULT, call_id: null }, 'call_id'],
  ['a result without output', { ...RESULT, output: undefined }, 'output'],
  ['a reference', { type: 'item_reference', id: 'msg_1' }, 'type'],
  ['a type that is a number', { type: 7 }, 'type'],
  ['a role that is a number', { role: 7, content: 'x' }, 'role']
]

t.test('an item that cannot be one is a 400 that names it, and none is added', async (t) => {
  const { call, create, itemsOf } = await startStateful(t)
  const id = await create()
  const good = { role: 'user', content: 'x' }
  for (const path of ['/conversations', `/conversations/${id}/items`]) {
    for (const [name, item, field] of BAD) {
      for (const items of [[item], [good, item]]) {
        const param = `items[${items.length - 1}].${field}`
        isErrorReply(t, await call(path, { body: { items } }), 400, { code: 'invalid_value', param }, name)
      }
    }
    const lists: [items: unknown, param: string][] = [
      [Array(21).fill(good), 'items'],
      ['x', 'items'],
      [{ ...good }, 'items'],
      [[7], 'items[0]'],
      [[null], 'items[0]']
    ]
    for (const [items, param] of lists) {
      const res = await call(path, { body: { items } })
      isErrorReply(t, res, 400, { code: 'invalid_value', param }, JSON.stringify(items).slice(0, 20))
    }
  }
  const at = `/conversations/${id}/items`
  isErrorReply(
    t,
    await call(at, { body: {} }),
    400,
    { code: 'missing_required_parameter', param: 'items' },
    '{}'
  )
  const unknown = { items: [good], x: 1 }
  isErrorReply(t, await call(at, { body: unknown }), 400, { code: 'unknown_parameter', param: 'x' }, 'x')
  const none = await call(at, { body: { items: [] } })
  t.strictSame([none.status, none.json.data, none.json.first_id], [200, [], null], 'no items are none')
  t.strictSame(await itemsOf(id), [])
  t.equal((await call('/conversations')).json.data.length, 1, 'and no conversation was made')
  t.equal(
    (await call(at, { body: { items: Array(20).fill(good) } })).json.data.length,
    20,
    'twenty are not too many'
  )
})
