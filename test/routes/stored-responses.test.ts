import t from 'tap'
import { responseOf, sendResponse } from '../helper/echo-upstream.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { type Item, startStateful, told } from '../helper/stateful.ts'

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: the input of a response is all that was sent, and is paged`, async (t) => {
    const { create, say, respond, call } = await startStateful(t, { DB_URL: await makePlace(t) })
    const id = await create({ items: [{ role: 'user', content: 'Added' }] })
    await say(id, 'Chat')
    await respond('One', { conversation: id })
    await respond(
      [
        { role: 'system', content: 'Psst' },
        { role: 'user', content: 'Two' }
      ],
      { previous_response_id: 'resp_2' }
    )
    const at = '/responses/resp_3/input_items'
    const { json } = await call(at)
    const lines = [
      'user: Added',
      'user: Chat',
      'assistant: re: Chat',
      'user: One',
      'assistant: re: One',
      'system: Psst',
      'user: Two'
    ]
    t.strictSame(told(json.data), lines.toReversed(), 'the newest first')
    t.strictSame([json.object, json.has_more], ['list', false])
    t.strictSame([json.first_id, json.last_id], [json.data[0].id, json.data.at(-1).id])
    const ids = json.data.map((item: Item) => item.id)
    t.equal(new Set(ids).size, lines.length)
    for (const item of ids) t.match(item, /^msg_[0-9a-f]{46}$/)
    for (const limit of [1, 2, 3, 7, 8]) {
      for (const order of ['asc', 'desc']) {
        const seen: string[] = []
        for (let more = true; more; ) {
          const after = seen.length > 0 ? `&after=${seen.at(-1)}` : ''
          const page = (await call(`${at}?order=${order}&limit=${limit}${after}`)).json
          seen.push(...page.data.map((item: Item) => item.id))
          more = page.has_more
        }
        t.strictSame(seen, order === 'desc' ? ids : ids.toReversed(), `${order} by ${limit}`)
      }
    }
    t.strictSame(
      told((await call('/responses/resp_2/input_items')).json.data),
      lines.slice(0, 4).toReversed()
    )
  })

  t.test(`${name}: a response that is deleted is gone with its turn`, async (t) => {
    const { respond, call, turnsOf, sent } = await startStateful(t, { DB_URL: await makePlace(t) })
    const first = await respond('One')
    await respond('Two', { previous_response_id: 'resp_1' })
    await respond('Three', { previous_response_id: 'resp_2' })
    const conversation = first.headers.get('x-conversation-id') ?? ''
    const deleted = await call('/responses/resp_2', { method: 'DELETE' })
    t.strictSame(deleted.json, { id: 'resp_2', object: 'response', deleted: true })
    t.strictSame(
      (await turnsOf(conversation)).map((turn) => turn.seq),
      [1, 3]
    )
    for (const [path, method] of [
      ['/responses/resp_2', 'GET'],
      ['/responses/resp_2', 'DELETE'],
      ['/responses/resp_2/input_items', 'GET']
    ] as const) {
      isErrorReply(t, await call(path, { method }), 404, { code: 'response_not_found', param: null }, path)
    }
    const lost = await respond('Four', { previous_response_id: 'resp_2' })
    isErrorReply(t, lost, 400, { code: 'previous_response_not_found' }, 'to go on after it')
    t.equal((await call('/responses/resp_3')).json.previous_response_id, null)
    await respond('Four', { previous_response_id: 'resp_3' })
    t.strictSame(told(sent().input), [
      'user: One',
      'assistant: re: One',
      'user: Three',
      'assistant: re: Three',
      'user: Four'
    ])
  })
}

t.test('a response goes by the id of its turn too, and of several with one id by the newest', async (t) => {
  let count = 0
  const { respond, call } = await startStateful(t, {}, (res, calling) => {
    count += 1
    sendResponse(res, JSON.parse(calling.body), responseOf('resp_same', `answer ${count}`))
  })
  const turns = [await respond('One'), await respond('Two')].map((res) => res.headers.get('x-turn-id'))
  t.match((await call('/responses/resp_same')).json, {
    id: 'resp_same',
    output: [{ content: [{ text: 'answer 2' }] }]
  })
  t.match((await call(`/responses/${turns[0]}`)).json, {
    id: turns[0],
    output: [{ content: [{ text: 'answer 1' }] }]
  })
  t.equal((await call(`/responses/${turns[0]}/input_items`)).json.data[0].content[0].text, 'One')
  t.match((await call(`/responses/${turns[0]}`, { method: 'DELETE' })).json, { id: turns[0], deleted: true })
  t.equal((await call('/responses/resp_same')).status, 200)
})

t.test('a turn of another kind is no response, and a response is no completion', async (t) => {
  const { respond, chat, call } = await startStateful(t)
  const answer = await chat()
  await answer.text()
  const response = await respond('Hi')
  for (const id of ['chatcmpl-1', answer.headers.get('x-turn-id'), 'x', `turn_${'0'.repeat(32)}`]) {
    isErrorReply(t, await call(`/responses/${id}`), 404, { code: 'response_not_found', param: null }, `${id}`)
  }
  for (const id of ['resp_2', response.headers.get('x-turn-id')]) {
    t.equal((await call(`/chat/completions/${id}`)).status, 404)
  }
})

t.test('a query that cannot be is a 400 that names it', async (t) => {
  const { respond, call } = await startStateful(t)
  await respond('One')
  await respond('Two')
  const foreign = (await call('/responses/resp_1/input_items')).json.first_id
  const input = '/responses/resp_2/input_items'
  const cases: [path: string, param: string | RegExp, code?: string][] = [
    ...['0', '101', '-1', 'x', ''].map((limit): [string, string] => [`${input}?limit=${limit}`, 'limit']),
    [`${input}?order=up`, 'order'],
    [`${input}?after=`, 'after'],
    [`${input}?after=msg_1`, 'after'],
    [`${input}?after=resp_2`, 'after'],
    [`${input}?after=${foreign}`, 'after'],
    [`${input}?include=x`, /^include/],
    [`${input}?before=x`, 'before', 'unknown_parameter'],
    ['/responses/resp_2?include=x', /^include/],
    ['/responses/resp_2?stream=true', 'stream', 'unsupported_parameter'],
    ['/responses/resp_2?starting_after=1', 'starting_after', 'unknown_parameter']
  ]
  for (const [path, param, code = 'invalid_value'] of cases) {
    isErrorReply(t, await call(path), 400, { code, param }, path.slice(17))
  }
  for (const query of [
    'stream=false',
    'include[]=reasoning.encrypted_content',
    'include_obfuscation=false'
  ]) {
    t.equal((await call(`/responses/resp_2?${query}`)).status, 200, query)
  }
})
