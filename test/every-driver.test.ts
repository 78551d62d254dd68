import t, { type Test } from 'tap'
import { startApp } from './helper/app.ts'
import { DRIVERS } from './helper/every-driver.ts'
import { type RequestOptions, request } from './helper/request.ts'
import { delta, plainAnswer, sendJson, startSse, startUpstream } from './helper/upstream.ts'

const ALICE = { 'x-session-id': 'alice' }
const BOB = { 'x-session-id': 'bob' }

async function start(t: Test, dbUrl: string) {
  const upstream = await startUpstream(t)
  const { app, url } = await startApp(t, {
    OPENAI_BASE_URL: upstream.url,
    DB_URL: dbUrl,
    AUTH: 'header'
  })
  const call = (path: string, options: RequestOptions = {}) =>
    request(`${url}/v1${path}`, { ...options, headers: { ...ALICE, ...options.headers } })
  const chat = (text: string, body: object = {}, headers: Record<string, string> = {}) =>
    call('/chat/completions', {
      body: { model: 'm', messages: [{ role: 'user', content: text }], ...body },
      headers
    })
  return { app, upstream, call, chat }
}

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: chats are answered and kept, replaced and deleted, for their session alone`, async (t) => {
    const { app, call, chat } = await start(t, await makePlace(t))
    const before = app.store.counters.transactions
    const streamed = await chat('One', { stream: true })
    t.match(streamed.text, /Hello.* world.*\[DONE\]/s)
    t.equal(app.store.counters.transactions - before, 2, 'two writes')
    const id = streamed.headers.get('x-conversation-id') ?? ''
    const filed = { 'x-conversation-id': id }
    t.match((await chat('Two', {}, filed)).json, { choices: [{ message: { content: 'Hello world' } }] })
    await chat('Two again', { stream: true }, { ...filed, 'x-parent-seq': '1' })

    const turns = async (query = '') => (await call(`/conversations/${id}/turns${query}`)).json.data
    const completed = { status: 'completed', assistant_text: 'Hello world', error: null }
    t.match(await turns(), [
      { seq: 1, user_text: 'One', ...completed },
      { seq: 3, user_text: 'Two again', parent_seq: 1, ...completed }
    ])
    t.match(await turns('?include=superseded'), [{}, { user_text: 'Two', superseded: true }, {}])
    t.match((await call(`/conversations/${id}`)).json, { title: 'One', last_seq: 3 })
    t.match((await call('/conversations')).json, { data: [{ id }], has_more: false })

    const never = await call(`/conversations/conv_${'0'.repeat(32)}`)
    t.equal(never.status, 404)
    const foreign: [string, RequestOptions][] = [
      [`/conversations/${id}`, {}],
      [`/conversations/${id}`, { body: { title: 'stolen' } }],
      [`/conversations/${id}`, { method: 'DELETE' }],
      [`/conversations/${id}/turns`, {}]
    ]
    for (const [path, options] of foreign) {
      const { status, text } = await call(path, { ...options, headers: BOB })
      t.strictSame([status, text], [404, never.text], `${options.method ?? ''} ${path} of another session`)
    }
    t.equal((await chat('In', {}, { ...filed, ...BOB })).status, 404)
    t.strictSame((await call('/conversations', { headers: BOB })).json.data, [])
    t.equal((await turns()).length, 2)

    t.match(await call(`/conversations/${id}`, { method: 'DELETE' }), {
      status: 200,
      json: { deleted: true }
    })
    t.equal((await call(`/conversations/${id}`, { method: 'DELETE' })).status, 404)
    t.equal((await call(`/conversations/${id}/turns`)).status, 404)
    t.strictSame((await call('/conversations')).json.data, [])
  })
}

/** Everything that the API can be asked to do with a store, in one order. Resolves to all answers. */
async function script(t: Test, dbUrl: string): Promise<unknown[]> {
  const { upstream, call, chat } = await start(t, dbUrl)
  const answers: unknown[] = []
  const ids: string[] = []
  const record = async (reply: ReturnType<typeof call>): Promise<Awaited<typeof reply>> => {
    const { status, json, text, headers } = await reply
    const seq = headers.get('x-turn-seq')
    answers.push(JSON.parse(normalized(JSON.stringify([status, seq, json ?? text]))))
    return await reply
  }
  /** The text with the n-th id that occurs as `#n`, and instants without their value. */
  function normalized(text: string): string {
    return text
      .replaceAll(/(conv|turn)_[0-9a-f]{32}/g, (id) => {
        if (!ids.includes(id)) ids.push(id)
        return `#${ids.indexOf(id)}`
      })
      .replaceAll(/"(created_at|active_at)":1\d{9}\b/g, '"$1":"an instant"')
  }

  const made: string[] = []
  const metadata = { plain: '1', ä: 'ß 😀', '': '', __proto: 'x', nul: 'a\0b\ud800c' }
  for (const title of ['B', null, 'a\0b\ud800 Ünï 😀', '']) {
    made.push((await record(call('/conversations', { body: { title, metadata } }))).json.id)
  }
  const [first, second, third] = made as [string, string, string]
  await record(call(`/conversations/${second}`, { body: { pinned: true, title: 'pinned' } }))
  await record(call(`/conversations/${third}`, { body: { metadata: null } }))
  const to = { 'x-conversation-id': first }
  await record(chat('plain', { stream: true }, to))
  await record(chat('odd \0 \ud800 \udc00 😀 \u2028', {}, to))
  await record(chat('parts', { messages: [{ role: 'user', content: [{ type: 'text', text: 'p' }] }] }, to))
  await record(chat('', { n: 2 }, to))
  upstream.script = (res) => sendJson(res, 500, { error: { message: 'broken' } })
  await record(chat('failing', {}, to))
  upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'ha\0lf \ud83d' }))
  }
  await record(chat('cut', { stream: true }, to))
  upstream.script = plainAnswer
  await record(chat('again', {}, { ...to, 'x-parent-seq': '2' }))
  for (const parent of ['3', '99', '0']) await record(chat('follow', {}, { ...to, 'x-parent-seq': parent }))
  await record(chat('new'))
  await record(chat('nowhere', {}, { 'x-conversation-id': `conv_${'0'.repeat(32)}` }))

  for (const query of [
    '',
    '?limit=2',
    '?order=asc',
    `?after=${second}`,
    `?after=${second}&order=asc&limit=1`,
    `?before=${second}`,
    `?before=${third}&order=asc`,
    '?pinned=true',
    '?pinned=false&limit=2'
  ]) {
    await record(call(`/conversations${query}`))
  }
  for (const query of [
    '',
    '?include=superseded',
    '?include=superseded&order=desc&limit=3',
    '?after_seq=2',
    '?before_seq=3&order=desc&include=superseded',
    '?after_seq=99',
    '?after_seq=2147483647'
  ]) {
    await record(call(`/conversations/${first}/turns${query}`))
  }
  await record(call(`/conversations/${second}/turns`))
  for (const id of made) await record(call(`/conversations/${id}`))
  for (const id of [first, first]) await record(call(`/conversations/${id}`, { method: 'DELETE' }))
  await record(call(`/conversations/${first}/turns`))
  await record(call('/conversations'))
  return answers
}

t.test('the same calls get the same answers, whatever the driver', async (t) => {
  const [sqlite, ...others] = await Promise.all(
    Object.entries(DRIVERS).map(async ([name, makePlace]) => ({
      name,
      answers: await script(t, await makePlace(t))
    }))
  )
  t.ok((sqlite?.answers.length ?? 0) > 35)
  const statuses = new Set(sqlite?.answers.map((answer) => (answer as [number])[0]))
  t.strictSame(statuses, new Set([200, 500, 400, 404]), 'good and bad ones')
  for (const { name, answers } of others) t.strictSame(answers, sqlite?.answers, name)
})
