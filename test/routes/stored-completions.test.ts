import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { startStateful, told } from '../helper/stateful.ts'
import { delta, sendJson, startSse } from '../helper/upstream.ts'

const ask = (content: string, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more })

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(
    `${name}: a chat that completed is listed, read, changed and deleted by the upstream's id`,
    async (t) => {
      const { chat, call, turnsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
      const answers = [
        await chat(ask('One', { metadata: { a: '1' } })),
        await chat(ask('Two', { stream: true })),
        await chat(ask('Three', { metadata: { a: '1', b: '2' } }))
      ]
      for (const answer of answers) await answer.text()
      const { json } = await call('/chat/completions')
      t.match(json, {
        object: 'list',
        data: [{ id: 'chatcmpl-1' }, { id: 'chatcmpl-2' }, { id: 'chatcmpl-3' }],
        first_id: 'chatcmpl-1',
        last_id: 'chatcmpl-3',
        has_more: false
      })
      const [first] = json.data
      const { created, ...rest } = first
      t.ok(Math.abs(created - Date.now() / 1000) < 60, 'Unix seconds')
      t.strictSame(rest, {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        model: 'm',
        choices: [
          {
            index: 0,
            message: { refusal: null, role: 'assistant', content: 're: One' },
            finish_reason: 'stop',
            logprobs: null
          }
        ],
        metadata: { a: '1' }
      })
      const at = '/chat/completions/chatcmpl-1'
      t.strictSame((await call(at)).json, first)
      const turnId = answers[0]?.headers.get('x-turn-id')
      t.strictSame(
        (await call(`/chat/completions/${turnId}`)).json,
        { ...first, id: turnId },
        'by our id too'
      )

      const changed = await call(at, { body: { metadata: { c: '3' } } })
      t.strictSame(changed.json, { ...first, metadata: { c: '3' } })
      t.strictSame((await call(at)).json, changed.json)
      t.strictSame((await call(at, { body: { metadata: null } })).json.metadata, {})

      const conversation = answers[0]?.headers.get('x-conversation-id') ?? ''
      t.match((await turnsOf(conversation))[0], { metadata: {}, user_text: 'One' })
      t.strictSame((await call(at, { method: 'DELETE' })).json, {
        id: 'chatcmpl-1',
        object: 'chat.completion.deleted',
        deleted: true
      })
      t.strictSame(await turnsOf(conversation), [])
      const gone: [string, Parameters<typeof call>[1]][] = [
        [at, {}],
        [at, { method: 'DELETE' }],
        [at, { body: { metadata: {} } }],
        [`${at}/messages`, {}],
        [`/chat/completions/${turnId}`, {}]
      ]
      for (const [path, options] of gone) {
        const res = await call(path, options)
        isErrorReply(t, res, 404, { code: 'completion_not_found', param: null }, path)
      }
      t.equal((await call('/chat/completions')).json.first_id, 'chatcmpl-2')
    }
  )

  t.test(`${name}: the list is paged, and narrowed by model and metadata`, async (t) => {
    const { chat, call, upstream } = await startStateful(t, { DB_URL: await makePlace(t) })
    const { script } = upstream
    upstream.script = (res, calling, req) => {
      const { model } = JSON.parse(calling.body)
      // The answer's model is one of its own where the one asked for is an alias.
      if (model !== 'alias') return script(res, calling, req)
      sendJson(res, 200, { id: 'chatcmpl-alias', model: 'm-real', choices: [{ message: { content: 'a' } }] })
    }
    for (const [model, metadata] of [
      ['m', { k: 'a' }],
      ['m', { k: 'b', l: 'x' }],
      ['alias', { k: 'a', l: 'x' }],
      ['m', {}],
      ['m', { 'a[b]': '=&', k: 'a' }]
    ] as const) {
      await (await chat(ask('Hi', { model, metadata }))).text()
    }
    const n = (number: number) => `chatcmpl-${number}`
    const cases: [query: string, ids: string[], hasMore: boolean][] = [
      ['', [n(1), n(2), 'chatcmpl-alias', n(3), n(4)], false],
      ['order=desc', [n(4), n(3), 'chatcmpl-alias', n(2), n(1)], false],
      ['limit=2', [n(1), n(2)], true],
      [`limit=2&after=${n(2)}`, ['chatcmpl-alias', n(3)], true],
      [`limit=2&after=${n(3)}`, [n(4)], false],
      [`limit=2&order=desc&after=${n(3)}`, ['chatcmpl-alias', n(2)], true],
      ['model=m-real', ['chatcmpl-alias'], false],
      ['model=alias', [], false],
      ['model=m&limit=3', [n(1), n(2), n(3)], true],
      ['metadata[k]=a', [n(1), 'chatcmpl-alias', n(4)], false],
      ['metadata[k]=a&metadata[l]=x', ['chatcmpl-alias'], false],
      ['metadata[k]=a&limit=1', [n(1)], true],
      [`metadata[k]=a&after=${n(1)}&limit=1`, ['chatcmpl-alias'], true],
      ['metadata[k]=c', [], false],
      ['metadata[l]=', [], false],
      [`model=m&metadata[k]=a&after=${n(1)}`, [n(4)], false]
    ]
    for (const [query, ids, hasMore] of cases) {
      const { json } = await call(`/chat/completions?${query}`)
      t.strictSame(
        json.data.map((entry: { id: string }) => entry.id),
        ids,
        query
      )
      t.strictSame(
        [json.first_id, json.last_id, json.has_more],
        [ids[0] ?? null, ids.at(-1) ?? null, hasMore]
      )
    }
  })
}

t.test('only chats that completed are completions', async (t) => {
  const { chat, respond, create, say, upstream, call, turnsOf } = await startStateful(t)
  const id = await create({ items: [{ role: 'user', content: 'added' }] })
  await respond('a response', { conversation: id })
  const { script } = upstream
  upstream.script = (res) => sendJson(res, 500, { error: { message: 'no' } })
  await say(id, 'failing')
  upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'ha' }))
  }
  await say(id, 'cut', { stream: true })
  upstream.script = script
  await (await chat({ store: false })).text()
  t.strictSame((await call('/chat/completions')).json.data, [])
  for (const { id: turn } of await turnsOf(id)) {
    t.equal((await call(`/chat/completions/${turn}`)).status, 404)
  }
  await say(id, 'whole')
  await say(id, 'whole again', {}, { 'x-parent-seq': '4' })
  t.equal((await call('/chat/completions')).json.data.length, 2, 'also one that was replaced')
})

t.test('the messages of a completion are all that the model was sent', async (t) => {
  const { create, say, call, chat } = await startStateful(t)
  const id = await create()
  const parts = [
    { type: 'text', text: 'Look' },
    { type: 'image_url', image_url: { url: 'https://a.test/i' } }
  ]
  await say(id, [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'One' }
  ])
  await say(id, [{ role: 'user', content: parts }])
  const at = '/chat/completions/chatcmpl-2/messages'
  const { json } = await call(at)
  t.strictSame(told(json.data), ['system: Be kind.', 'user: One', 'assistant: re: One', 'user: '])
  t.strictSame(
    json.data.map((message: { id: string }) => message.id),
    [0, 1, 2, 3].map((index) => `chatcmpl-2-${index}`)
  )
  t.match(json.data[3], { content: null, content_parts: parts, refusal: null })
  t.match(json.data[1], { content: 'One', content_parts: null })
  const page = async (query: string) => {
    const { data, has_more } = (await call(`${at}?${query}`)).json
    return [data.map((message: { id: string }) => Number(message.id.slice(-1))), has_more]
  }
  t.strictSame(await page('limit=2'), [[0, 1], true])
  t.strictSame(await page('limit=2&after=chatcmpl-2-1'), [[2, 3], false])
  t.strictSame(await page('order=desc&limit=3'), [[3, 2, 1], true])
  t.strictSame(await page('order=desc&after=chatcmpl-2-1'), [[0], false])
  const expected = { code: 'invalid_value', param: 'after' }
  for (const after of ['chatcmpl-2-4', 'chatcmpl-1-0', 'x', '']) {
    isErrorReply(t, await call(`${at}?after=${after}`), 400, expected, after)
  }
  await (
    await chat(
      ask('alone', {
        messages: [
          { role: 'user', content: 'A' },
          { role: 'assistant', content: 'B' },
          { role: 'user', content: 'C' }
        ]
      })
    )
  ).text()
  t.strictSame(told((await call('/chat/completions/chatcmpl-3/messages')).json.data), [
    'user: A',
    'assistant: B',
    'user: C'
  ])
})
