import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { startApp, tempFolder } from './helper/app.ts'
import { lockedDatabase, openDatabase } from './helper/database.ts'
import { eventually, gate, isErrorBody, within } from './helper/endings.ts'
import { chatRequest, type RawClient, rawChat, rawConnect } from './helper/raw-client.ts'
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
const STOPPED = { status: 'incomplete', error: 'server_shutdown', finish_reason: null }

/** A service whose rows can be read after it has closed. */
async function start(t: Test, script: UpstreamScript, settings: Record<string, string>) {
  const dbUrl = `sqlite:${tempFolder(t)}/test.db`
  const upstream = await startUpstream(t, script)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: dbUrl, ...settings })
  const rows = () => {
    const all = 'select status, error, assistant_text, finish_reason, owner from turns order by id'
    return openDatabase(t, dbUrl).prepare(all).all() as Record<string, unknown>[]
  }
  return { ...running, upstream, dbUrl, rows }
}

/** The body of a response that came whole. */
const bodyOf = (client: RawClient) => client.received().split('\r\n\r\n').slice(1).join('\r\n\r\n')

t.test('an answer that ends inside DRAIN_TIMEOUT_MS is whole', async (t) => {
  const ending = gate()
  const script: UpstreamScript = async (res) => {
    startSse(res)
    res.write(HELLO)
    await ending.opened
    res.end(delta({ content: ' world' }) + finish() + DONE)
  }
  const { app, url, rows, upstream } = await start(t, script, { DRAIN_TIMEOUT_MS: '20000' })
  const client = await rawChat(t, url, { stream: true })
  await client.until('Hello')
  const closed = app.close()

  const late = await rawChat(t, url, { stream: true }).catch(() => null)
  await late?.closed.then(() => t.notMatch(late.received(), ' 200 '), t.fail)
  t.equal(upstream.calls.length, 1, 'a new question is refused')

  ending.open()
  await client.until('[DONE]')
  await within(5_000, 'the close, which waits no longer than it must', closed)
  t.match(rows(), [
    { status: 'completed', error: null, assistant_text: 'Hello world', finish_reason: 'stop', owner: null }
  ])
})

t.test('a stream that does not end in time is told so, and its text is kept', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.write(HELLO)
  }
  const { app, url, rows, upstream } = await start(t, script, { DRAIN_TIMEOUT_MS: '200' })
  const client = await rawChat(t, url, { stream: true })
  await client.until('Hello')
  await within(5_000, 'the close', app.close())
  await client.closed
  const [error] = /\{"error":.*\}/.exec(client.received()) ?? ['']
  isErrorBody(t, error, 'server_shutdown')
  t.notMatch(client.received(), '[DONE]')
  t.match(rows(), [{ ...STOPPED, assistant_text: 'Hello', owner: null }])
  await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
})

const waiting: { title: string; stream: boolean; script: (begun: () => void) => UpstreamScript }[] = [
  { title: 'a stream that has no headers yet', stream: true, script: (begun) => () => begun() },
  { title: 'a JSON answer that has no headers yet', stream: false, script: (begun) => () => begun() },
  {
    title: 'a JSON answer that came half',
    stream: false,
    script: (begun) => (res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      res.write(JSON.stringify(completion('Hello')).slice(0, 50), begun)
    }
  }
]

for (const { title, stream, script } of waiting) {
  t.test(`${title} when the time is up becomes a 503`, async (t) => {
    const begun = gate()
    const { app, url, rows, upstream } = await start(t, script(begun.open), { DRAIN_TIMEOUT_MS: '50' })
    const client = await rawChat(t, url, { stream })
    await begun.opened
    await within(5_000, 'the close', app.close())
    await client.closed
    t.match(client.received(), /^HTTP\/1.1 503 /)
    isErrorBody(t, bodyOf(client), 'server_shutdown')
    t.match(rows(), [{ ...STOPPED, assistant_text: null, owner: null }])
    await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
  })
}

t.test('an answer that nobody waits for any more is drained and stopped like the others', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.write(HELLO)
  }
  const settings = { DRAIN_TIMEOUT_MS: '100', ON_DISCONNECT: 'finish' }
  const { app, url, rows } = await start(t, script, settings)
  const client = await rawChat(t, url, { stream: true })
  await client.until('Hello')
  client.socket.destroy()
  await within(5_000, 'the close', app.close())
  t.match(rows(), [{ ...STOPPED, assistant_text: 'Hello', owner: null }])
})

t.test('an answer that is still on its way to a slow client arrives whole', async (t) => {
  const answer = JSON.stringify(completion('x'.repeat(24 * 1_048_576)))
  const script: UpstreamScript = (res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(answer)
  }
  const settings = { DRAIN_TIMEOUT_MS: '20000', MAX_ANSWER_BYTES: '100000000' }
  const { app, url } = await start(t, script, settings)
  const request = once(app.server, 'request')
  const client = await rawChat(t, url, { store: false }, { connection: 'close' })
  const [, response] = (await request) as [unknown, ServerResponse]
  client.socket.pause()
  await eventually('the answer is ready', () => response.writableEnded)
  t.ok(response.writableLength > 0, 'more than the kernel takes')
  const closed = app.close()
  await new Promise((resolve) => setTimeout(resolve, 200))
  client.socket.resume()
  await client.closed
  t.ok(bodyOf(client) === answer, `${bodyOf(client).length} of ${answer.length} bytes arrived`)
  await within(5_000, 'the close', closed)
})

t.test('a client that does not read holds the close for a moment only', async (t) => {
  const script: UpstreamScript = async (res) => {
    startSse(res)
    while (!res.destroyed) {
      if (!res.write(delta({ content: 'x'.repeat(65_536) }))) {
        await Promise.race([once(res, 'drain'), once(res, 'close')])
      }
    }
  }
  const settings = { DRAIN_TIMEOUT_MS: '100', MAX_ANSWER_BYTES: '1000000000' }
  const { app, url, rows } = await start(t, script, settings)
  const request = once(app.server, 'request')
  const client = await rawChat(t, url, { stream: true })
  const [, response] = (await request) as [unknown, ServerResponse]
  await client.until('data:')
  client.socket.pause()
  await eventually('the kernel takes no more', async () => {
    const before = response.writableNeedDrain && response.socket?.bytesWritten
    await new Promise((resolve) => setTimeout(resolve, 100))
    return before !== false && before === response.socket?.bytesWritten
  })
  await within(5_000, 'the close', app.close())
  t.match(rows(), [{ ...STOPPED, owner: null }])
})

t.test('a question on a kept connection is answered while others are drained, and is its last', async (t) => {
  const ending = gate()
  const script: UpstreamScript = async (res) => {
    startSse(res)
    res.write(HELLO)
    await ending.opened
    res.end(finish() + DONE)
  }
  const { app, url, rows } = await start(t, script, { DRAIN_TIMEOUT_MS: '20000' })
  const kept = await rawConnect(t, url)
  kept.socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await kept.until('{"status":"ok"}')
  const client = await rawChat(t, url, { stream: true })
  await client.until('Hello')
  const closed = app.close()
  kept.socket.write(chatRequest({ stream: true }))
  await kept.until('Hello')
  ending.open()
  await within(5_000, 'the end of the kept connection', kept.closed)
  const [, answer] = kept.received().split('{"status":"ok"}')
  t.match(answer, /^HTTP\/1.1 200 .*connection: close.*\[DONE\]/is)
  await client.until('[DONE]')
  await within(5_000, 'the close', closed)
  t.match(rows(), [{ status: 'completed' }, { status: 'completed' }])
})

for (const onDisconnect of ['abort', 'finish']) {
  t.test(`a body that ends after the drain leaves no turn running (${onDisconnect})`, async (t) => {
    const { app, url, rows, upstream } = await start(t, () => {}, { DRAIN_TIMEOUT_MS: '0' })
    const request = chatRequest({ stream: true }, { 'x-on-disconnect': onDisconnect })
    const slow = await rawConnect(t, url)
    const received = new Promise((resolve) => app.server.once('request', resolve))
    slow.socket.write(request.slice(0, -1))
    await received
    const closed = app.close()
    await new Promise((resolve) => setTimeout(resolve, 200)) // the drain has nothing to wait for
    slow.socket.write(request.slice(-1))
    await within(5_000, 'the close', closed)
    await slow.closed
    t.match(slow.received(), /^HTTP\/1.1 503 .*server_shutdown/s, 'it is refused, not cut off')
    for (const row of rows()) t.match(row, { ...STOPPED, owner: null })
    t.equal(upstream.calls.length, 0, 'no call is begun that could not end')
  })
}

t.test('a question that waits for the store when the close begins leaves no turn running', async (t) => {
  const { app, url, rows, dbUrl } = await start(t, () => {}, { DRAIN_TIMEOUT_MS: '0' })
  const lock = lockedDatabase(t, dbUrl)
  const request = once(app.server, 'request')
  const client = await rawChat(t, url, { stream: true }, { 'x-on-disconnect': 'finish' })
  await request
  await new Promise((resolve) => setTimeout(resolve, 100)) // it now waits for the lock
  const closed = app.close()
  await new Promise((resolve) => setTimeout(resolve, 200))
  lock.release()
  await within(5_000, 'the close', closed)
  await client.closed
  t.match(client.received(), /^HTTP\/1.1 503 .*server_shutdown/s)
  t.match(rows(), [{ ...STOPPED, owner: null }])
})
