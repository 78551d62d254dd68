import t from 'tap'
import { startApp, tempFolder } from './helper/app.ts'
import { openDatabase } from './helper/database.ts'
import { endsInErrorEvent, within } from './helper/endings.ts'
import { DONE, delta, finish, plainAnswer, startSse, startUpstream } from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const UNKNOWN = 'conv_00000000000000000000000000000000'

const ways = [
  { title: 'store: false', settings: {}, body: { store: false } },
  { title: 'PERSIST_TRANSCRIPTS=false', settings: { PERSIST_TRANSCRIPTS: 'false' }, body: {} },
  {
    title: 'PERSIST_TRANSCRIPTS=false, even with store: true',
    settings: { PERSIST_TRANSCRIPTS: 'false' },
    body: { store: true }
  }
]

for (const { title, settings, body } of ways) {
  t.test(`${title} records nothing, however the answer ends`, async (t) => {
    const dbUrl = `sqlite:${tempFolder(t)}/test.db`
    const upstream = await startUpstream(t)
    const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: dbUrl, ...settings })
    const { chat, app, url } = running
    const sqlite = openDatabase(t, dbUrl)
    const known = await app.store.createConversation({
      id: UNKNOWN.replace(/0$/, '1'),
      sessionId: 'local',
      title: null,
      model: null,
      metadata: {},
      createdAt: 1
    })
    const { writes } = app.store.counters
    const asked = { ...body, metadata: { topic: 'secret' }, conversation_id: known.id, temperature: 0.5 }

    for (const stream of [true, false]) {
      const res = await chat({ ...asked, stream })
      t.equal(res.status, 200)
      t.match(await res.text(), stream ? /Hello.* world.*\[DONE\]/s : /"Hello world"/)
      for (const name of ['x-conversation-id', 'x-turn-id', 'x-turn-seq'])
        t.equal(res.headers.get(name), null)
    }
    t.equal(upstream.calls.length, 2)
    for (const call of upstream.calls) {
      const seen = JSON.parse(call.body) as object
      t.strictSame(Object.keys(seen).sort(), ['messages', 'model', 'stream', 'temperature'])
      t.notMatch(JSON.stringify(call.headers), /conversation|secret|store/)
    }

    upstream.script = (res) => {
      startSse(res)
      res.end(HELLO)
    }
    endsInErrorEvent(t, await (await chat({ ...asked, stream: true })).text(), HELLO, 'upstream_truncated')

    upstream.script = (res) => void res.writeHead(429).end('slow down')
    const limited = await chat(asked)
    t.equal(limited.status, 429)
    t.equal(await limited.text(), 'slow down')

    upstream.script = (res) => {
      startSse(res)
      res.write(HELLO)
    }
    const leaving = new AbortController()
    await chat({ ...asked, stream: true }, {}, leaving.signal)
    leaving.abort()
    await within(1_000, 'the cancel', upstream.calls.at(-1)?.cancelled as Promise<void>)

    upstream.script = plainAnswer
    const calls = upstream.calls.length
    for (const id of [UNKNOWN, 'nonsense']) {
      const res = await chat(body, { 'x-conversation-id': id })
      t.equal(res.status, 404)
      t.match(await res.json(), { error: { code: 'conversation_not_found', type: 'invalid_request_error' } })
    }
    t.equal(upstream.calls.length, calls, 'an unknown conversation is no reason to call the upstream')

    t.equal(sqlite.prepare('select count(*) from turns').pluck().get(), 0)
    t.equal(sqlite.prepare('select count(*) from conversations').pluck().get(), 1)
    t.equal(app.store.counters.writes, writes, 'the store was not written to')
    const turns = await (await fetch(`${url}/v1/conversations/${known.id}/turns`)).json()
    t.match(turns, { data: [], has_more: false })
  })
}

t.test('an unrecorded answer does not wait for a locked store', async (t) => {
  const dbUrl = `sqlite:${tempFolder(t)}/test.db`
  const upstream = await startUpstream(t, (res) => {
    startSse(res)
    res.end(HELLO + finish() + DONE)
  })
  const { chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: dbUrl })
  openDatabase(t, dbUrl).exec('BEGIN IMMEDIATE')
  const res = await within(1_000, 'the answer', chat({ stream: true, store: false }))
  t.equal(await res.text(), HELLO + finish() + DONE)
})
