import t from 'tap'
import { responseOf, sendResponse } from '../helper/echo-upstream.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { startStateful } from '../helper/stateful.ts'

const user = (content: string) => ({ role: 'user', content })
const said = (id: string, text: string) => responseOf(id, text).output

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: a response is one turn, and is read again by its id`, async (t) => {
    const { app, respond, turnsOf, call, itemsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
    for (const [index, stream] of [false, true].entries()) {
      const id = `resp_${index + 1}`
      const before = app.store.counters.transactions
      const res = await respond('Hi', { stream, metadata: { a: 'b' } })
      t.equal(app.store.counters.transactions - before, 2, 'two writes')
      t.match(res.text, stream ? /^event: response\.created[\s\S]*response\.completed/ : /"re: Hi"/)
      const conversation = res.headers.get('x-conversation-id') ?? ''
      t.match(await turnsOf(conversation), [
        {
          id: res.headers.get('x-turn-id'),
          kind: 'response',
          status: 'completed',
          user_text: 'Hi',
          assistant_text: 're: Hi',
          completion_id: id,
          model: 'm-answered',
          metadata: { a: 'b' }
        }
      ])
      t.match(
        (await itemsOf(conversation)).map((item) => item.role),
        ['user', 'assistant']
      )
      const stored = await call(`/responses/${id}`)
      t.equal(stored.status, 200)
      t.strictSame(stored.json, {
        ...responseOf(id, 're: Hi'),
        store: true,
        background: false,
        previous_response_id: null,
        conversation: { id: conversation },
        metadata: { a: 'b' }
      })
    }
  })

  t.test(`${name}: previous_response_id is answered from the store, and may fork`, async (t) => {
    const { respond, sent, turnsOf, call } = await startStateful(t, { DB_URL: await makePlace(t) })
    const after = (text: string, previous: string) => respond(text, { previous_response_id: previous })
    const first = await respond('One')
    const conversation = first.headers.get('x-conversation-id') ?? ''
    t.equal((await after('Two', 'resp_1')).headers.get('x-conversation-id'), conversation)
    t.strictSame(sent(), {
      store: false,
      input: [user('One'), ...(said('resp_1', 're: One') as object[]), user('Two')],
      model: 'm'
    })
    const asked = () =>
      sent().input.flatMap((item: { role: string; content: string }) =>
        item.role === 'user' ? item.content : []
      )
    await after('Two, but other', 'resp_1')
    t.strictSame(asked(), ['One', 'Two, but other'])
    await after('on the first fork', 'resp_2')
    t.strictSame(asked(), ['One', 'Two', 'on the first fork'])
    await after('on the second fork', 'resp_3')
    t.strictSame(asked(), ['One', 'Two, but other', 'on the second fork'])
    await after('deeper', 'resp_5')
    t.strictSame(asked(), ['One', 'Two, but other', 'on the second fork', 'deeper'])
    t.strictSame(
      (await turnsOf(conversation)).map((turn) => [turn.seq, turn.parent_seq, turn.superseded]),
      [
        [1, 0, false],
        [2, 1, true],
        [3, 1, false],
        [4, 2, true],
        [5, 3, false],
        [6, 5, false]
      ],
      'the newest fork is the path'
    )
    for (const [id, previous] of [
      ['resp_1', null],
      ['resp_2', 'resp_1'],
      ['resp_3', 'resp_1'],
      ['resp_4', 'resp_2'],
      ['resp_5', 'resp_3']
    ]) {
      t.equal((await call(`/responses/${id}`)).json.previous_response_id, previous, `before ${id}`)
    }
  })

  t.test(`${name}: a conversation is put in front of a response, whatever its turns are`, async (t) => {
    const { create, say, respond, sent, turnsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
    const id = await create({ items: [user('Added'), { role: 'assistant', content: 'Noted' }] })
    await say(id, 'Chat')
    await respond([{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }], { conversation: { id } })
    t.match(sent().input, [
      user('Added'),
      { role: 'assistant', content: 'Noted' },
      { role: 'user', content: [{ type: 'input_text', text: 'Chat' }] },
      { role: 'assistant', content: [{ type: 'output_text', text: 're: Chat' }] },
      { role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }
    ])
    t.equal(sent().input.length, 5)
    await respond([...sent().input, ...(said('resp_2', 're: Hi') as object[]), user('More')], {
      conversation: id
    })
    t.equal(sent().input.length, 7, 'what is sent again is not put in twice')
    t.match(
      (await turnsOf(id)).map((turn) => turn.user_text),
      ['Added', 'Chat', 'Hi', 'More']
    )
  })
}

t.test('the upstream gets the rest of the body to the letter, and stores nothing', async (t) => {
  const { create, respond, call, upstream } = await startStateful(t)
  const id = await create()
  await respond('One', { conversation: id })
  const own = ' {"content" : "Tw\\u006f","role":"user","x":12345678901234567890}'
  const rest = '"temperature":1.0,"include":["reasoning.encrypted_content"],"seed":1E400'
  const body = (ours: string) => `{${ours}"input":[${own}],${rest}}`
  const front = `{"role":"user","content":"One"},${JSON.stringify((said('resp_1', 're: One') as object[])[0])}`
  const cases: [ours: string, forwarded: string][] = [
    ['', `{"store":false,"input":[${own}],${rest}}`],
    ['"store":true,"metadata":{"a":"b"},"background":false,', `{"store":false,"input":[${own}],${rest}}`],
    ['"previous_response_id":"resp_1","store":true,', `{"store":false,"input":[${front},${own}],${rest}}`],
    ['"previous_response_id":null,"conversation":null,', `{"store":false,"input":[${own}],${rest}}`]
  ]
  for (const [ours, forwarded] of cases) {
    t.equal((await call('/responses', { body: body(ours) })).status, 200)
    const { body: sent, url } = upstream.calls.at(-1) ?? {}
    t.strictSame([url, sent], ['/v1/responses', forwarded], ours)
  }
})

t.test('instructions are not carried over, those of the request are', async (t) => {
  const { respond, sent, turnsOf } = await startStateful(t)
  const first = await respond('One', { instructions: 'Be kind.' })
  t.equal(sent().instructions, 'Be kind.')
  await respond('Two', { previous_response_id: 'resp_1' })
  t.notOk('instructions' in sent())
  t.notMatch(JSON.stringify(sent()), 'Be kind.')
  await respond('Three', { previous_response_id: 'resp_2', instructions: 'Be brief.' })
  t.equal(sent().instructions, 'Be brief.')
  t.notMatch(JSON.stringify(await turnsOf(first.headers.get('x-conversation-id') ?? '')), 'Be kind.')
})

t.test('without recording, what is stored is put in front and nothing is added', async (t) => {
  const { app, respond, sent, call } = await startStateful(t)
  const first = await respond('One')
  const conversation = first.headers.get('x-conversation-id')
  const before = app.store.counters.transactions
  for (const target of [{ previous_response_id: 'resp_1' }, { conversation }]) {
    for (const stream of [false, true]) {
      const res = await respond('Two', { ...target, store: false, stream })
      t.strictSame([res.status, res.headers.get('x-turn-id')], [200, null])
      t.equal(sent().input.length, 3)
      t.equal(sent().store, false)
    }
  }
  t.equal(app.store.counters.transactions, before)
  t.equal((await call('/responses/resp_2')).status, 404)

  const silent = await startStateful(t, { PERSIST_TRANSCRIPTS: 'false', DEFAULT_MODEL: 'm-default' })
  const atStart = silent.app.store.counters.transactions
  const { status } = await silent.call('/responses', { body: { input: 'Hi' } })
  t.equal(status, 200)
  t.strictSame(silent.sent(), { model: 'm-default', store: false, input: 'Hi' })
  t.equal(silent.app.store.counters.transactions, atStart)
})

t.test('the official SDK reads responses, streamed and whole, and goes on after them', async (t) => {
  const { client, upstream } = await startStateful(t)
  const first = await client.responses.create({ model: 'm', input: 'One' })
  t.equal(first.output_text, 're: One')
  const stream = client.responses.stream({ model: 'm', input: 'Two', previous_response_id: first.id })
  const second = await stream.finalResponse()
  t.equal(second.output_text, 're: Two')
  const { id } = await client.conversations.create()
  await client.responses.create({ model: 'm', input: 'Three', conversation: id })
  t.match((await client.conversations.items.list(id)).data, [{ role: 'assistant' }, { role: 'user' }])
  upstream.script = (res, call) =>
    sendResponse(
      res,
      JSON.parse(call.body),
      responseOf('resp_9', [
        { id: 'fc_1', type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', status: 'completed' }
      ])
    )
  const calling = await client.responses.create({
    model: 'm',
    input: 'Four',
    previous_response_id: second.id
  })
  t.match(calling.output, [{ type: 'function_call', name: 'f' }])
  t.match(await client.responses.retrieve('resp_9'), {
    output: [{ name: 'f' }],
    previous_response_id: second.id
  })
})
