import t from 'tap'
import { startApp, tempFolder } from './helper/app.ts'
import { openDatabase } from './helper/database.ts'
import { gate, within } from './helper/endings.ts'
import { rawChat } from './helper/raw-client.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  startSse,
  startUpstream,
  type UpstreamScript
} from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const JSON_ANSWER = JSON.stringify(completion('Hello world'))

const startHello: UpstreamScript = (res) => {
  startSse(res)
  res.write(HELLO)
}

/** How an answer goes on once its conversation was deleted, and what of it the client still gets. */
const endings: {
  title: string
  stream: boolean
  before: UpstreamScript
  after: UpstreamScript
  sees: RegExp
}[] = [
  {
    title: 'finishes',
    stream: true,
    before: startHello,
    after: (res) => void res.end(delta({ content: ' world' }) + finish() + DONE),
    sees: /Hello.* world.*\[DONE\]/s
  },
  {
    title: 'breaks off',
    stream: true,
    before: startHello,
    after: (res) => void res.end(),
    sees: /Hello.*"error".*upstream_truncated/s
  },
  {
    title: 'is JSON',
    stream: false,
    before: () => {},
    after: (res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON_ANSWER),
    sees: /200 OK.*Hello world/s
  },
  {
    title: 'is an error',
    stream: true,
    before: () => {},
    after: (res) => void res.writeHead(429, { 'content-type': 'application/json' }).end('{"error":{}}'),
    sees: /429 Too Many.*\{"error":\{\}\}/s
  }
]

for (const { title, stream, before, after, sees } of endings) {
  t.test(`a conversation deleted during an answer that ${title} stays deleted`, async (t) => {
    const { url, begun, goOn, rows, onlyId } = await scene(t, before, after)
    const client = await rawChat(t, url, { stream }, { connection: 'close' })
    await begun
    const id = await onlyId()
    const deleted = await fetch(`${url}/v1/conversations/${id}`, { method: 'DELETE' })
    t.strictSame(await deleted.json(), { id, object: 'conversation.deleted', deleted: true })
    goOn()
    await within(5_000, 'the answer', client.closed)
    t.match(client.received(), sees, 'the client gets its answer all the same')
    t.strictSame(rows(), { conversations: 0, turns: 0 })
    for (const path of ['', '/turns']) {
      t.equal((await fetch(`${url}/v1/conversations/${id}${path}`)).status, 404)
    }
  })
}

t.test('a conversation deleted during an answer whose client then leaves stays deleted', async (t) => {
  const { url, begun, cancelled, app, rows, onlyId } = await scene(t, startHello, () => {})
  const client = await rawChat(t, url, { stream: true })
  await begun
  await client.until('Hello')
  await fetch(`${url}/v1/conversations/${await onlyId()}`, { method: 'DELETE' })
  client.socket.destroy()
  await within(1_000, 'the cancel', cancelled())
  await app.close() // waits for writes under way
  t.strictSame(rows(), { conversations: 0, turns: 0 })
})

t.test('a second turn in the deleted conversation is a 404 while the first still runs', async (t) => {
  const { url, begun, goOn, calls, onlyId, rows } = await scene(t, startHello, (res) => {
    res.end(finish() + DONE)
  })
  const client = await rawChat(t, url, { stream: true })
  await begun
  const id = await onlyId()
  await fetch(`${url}/v1/conversations/${id}`, { method: 'DELETE' })
  const second = await rawChat(t, url, {}, { 'x-conversation-id': id, connection: 'close' })
  await second.closed
  t.match(second.received(), /404 Not Found.*conversation_not_found/s)
  t.equal(calls(), 1)
  goOn()
  await client.until('[DONE]')
  t.strictSame(rows(), { conversations: 0, turns: 0 })
})

/** A service with an upstream that stops between `before` and `after` until the test lets it go on. */
async function scene(t: Parameters<typeof startUpstream>[0], before: UpstreamScript, after: UpstreamScript) {
  const begun = gate()
  const rest = gate()
  const upstream = await startUpstream(t, async (res, call, req) => {
    await before(res, call, req)
    begun.open()
    await rest.opened
    if (!res.destroyed) await after(res, call, req)
  })
  const dbUrl = `sqlite:${tempFolder(t)}/test.db`
  const { app, url } = await startApp(t, {
    OPENAI_BASE_URL: upstream.url,
    DB_URL: dbUrl,
    DRAIN_TIMEOUT_MS: '0'
  })
  const sqlite = openDatabase(t, dbUrl)
  const count = (table: string) => sqlite.prepare(`select count(*) from ${table}`).pluck().get()
  return {
    app,
    url,
    begun: begun.opened,
    goOn: rest.open,
    calls: () => upstream.calls.length,
    cancelled: () => upstream.calls[0]?.cancelled as Promise<void>,
    rows: () => ({ conversations: count('conversations'), turns: count('turns') }),
    onlyId: async () => sqlite.prepare('select id from conversations').pluck().get() as string
  }
}
