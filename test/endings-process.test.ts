import t from 'tap'
import { tempFolder } from './helper/app.ts'
import { openDatabase } from './helper/database.ts'
import { eventually, gate, within } from './helper/endings.ts'
import { chatRequest, rawChat, rawConnect } from './helper/raw-client.ts'
import { startServer } from './helper/server-process.ts'
import { DONE, delta, finish, startSse, startUpstream, type UpstreamScript } from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const onFile = (folder: string) => ({ DB_URL: `sqlite:${folder}/test.db`, LOG_LEVEL: 'fatal' })
const endless: UpstreamScript = (res) => {
  startSse(res)
  res.write(HELLO)
}

t.test('a turn whose process was killed is server_lost as soon as the process is back', async (t) => {
  const folder = tempFolder(t)
  const upstream = await startUpstream(t, endless)
  const settings = { ...onFile(folder), OPENAI_BASE_URL: upstream.url, INSTANCE_ID: 'one' }
  const first = await startServer(t, settings)
  const client = await rawChat(t, first.url, { stream: true })
  await client.until('Hello')
  const id = /x-conversation-id: (\S+)/i.exec(client.received())?.[1]
  first.kill('SIGKILL')
  t.match(await first.exited, { signal: 'SIGKILL' })
  await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
  await client.closed
  t.notMatch(client.received(), '[DONE]')

  const second = await startServer(t, settings)
  const res = await fetch(`${second.url}/v1/conversations/${id}/turns`)
  const { data } = (await res.json()) as { data: object[] }
  t.equal(data.length, 1)
  t.match(data[0], {
    status: 'incomplete',
    error: 'server_lost',
    user_text: 'Hi',
    assistant_text: null,
    finish_reason: null
  })
  second.kill('SIGINT')
  t.match(await second.exited, { code: 0 }, 'SIGINT ends it properly')
})

t.test('another instance that starts does not end the turns of one that lives', async (t) => {
  const folder = tempFolder(t)
  const ending = gate()
  const upstream = await startUpstream(t, async (res, call, req) => {
    endless(res, call, req)
    await ending.opened
    res.end(finish() + DONE)
  })
  const settings = { ...onFile(folder), OPENAI_BASE_URL: upstream.url }
  const first = await startServer(t, { ...settings, INSTANCE_ID: 'one' })
  const client = await rawChat(t, first.url, { stream: true })
  await client.until('Hello')
  const second = await startServer(t, { ...settings, INSTANCE_ID: 'two' })
  const id = /x-conversation-id: (\S+)/i.exec(client.received())?.[1]
  const read = async () => (await fetch(`${second.url}/v1/conversations/${id}/turns`)).json()
  t.match(await read(), { data: [{ status: 'in_progress', error: null }] })
  ending.open()
  await client.until('[DONE]')
  t.match(await read(), { data: [{ status: 'completed', error: null, assistant_text: 'Hello' }] })
})

t.test('SIGTERM: not ready, still serving, then refusing, then out within the deadline', async (t) => {
  const folder = tempFolder(t)
  const upstream = await startUpstream(t, endless)
  const { url, kill, exited } = await startServer(t, {
    ...onFile(folder),
    OPENAI_BASE_URL: upstream.url,
    DRAIN_DELAY_MS: '1500',
    DRAIN_TIMEOUT_MS: '1500'
  })
  const ready = async () => (await fetch(`${url}/readyz`)).status
  t.equal(await ready(), 200)
  const old = await rawChat(t, url, { stream: true })
  await old.until('Hello')
  const stuck = await rawConnect(t, url)
  stuck.socket.write(chatRequest().slice(0, -5)) // a body that never ends

  const signalled = performance.now()
  kill('SIGTERM')
  await eventually('readyz says 503', async () => (await ready()) === 503)
  t.equal((await fetch(`${url}/livez`)).status, 200, 'but it lives')
  const fresh = await rawChat(t, url, { stream: true })
  await fresh.until('Hello')
  t.match(fresh.received(), /^HTTP\/1.1 200 /, 'and answers')
  t.ok(performance.now() - signalled < 1_500, 'all of this during the delay')

  const refused = () =>
    fetch(`${url}/livez`).then(
      (res) => res.status === 503,
      () => true
    )
  await eventually('requests are refused', refused)
  t.ok(performance.now() - signalled >= 1_400, 'not before the delay is over')

  // The delay, the drain, two seconds for sockets that linger, and a little for a busy machine.
  t.match(await within(8_000, 'the exit', exited), { code: 0 })
  for (const client of [old, fresh]) {
    await client.closed
    t.match(client.received(), /Hello.*\{"error":.*server_shutdown/s)
    t.notMatch(client.received(), '[DONE]')
  }
  const rows = openDatabase(t, `sqlite:${folder}/test.db`)
    .prepare('select status, error, assistant_text from turns')
    .all()
  const stopped = { status: 'incomplete', error: 'server_shutdown', assistant_text: 'Hello' }
  t.strictSame(rows, [stopped, stopped], 'and the body that never ended left nothing')
})

t.test('SIGTERM with nothing to do ends the process at once', async (t) => {
  const { kill, exited, url } = await startServer(t, { DRAIN_TIMEOUT_MS: '20000' })
  await (await fetch(`${url}/readyz`)).text() // leaves a kept connection behind
  kill('SIGTERM')
  t.match(await within(3_000, 'the exit', exited), { code: 0 })
})
