import { once } from 'node:events'
import t, { type Test } from 'tap'
import { type RunningApp, startApp } from '../helper/app.ts'
import { eventually, onlyTurn, within } from '../helper/endings.ts'
import { chatRequest, type RawClient, rawChat, rawConnect } from '../helper/raw-client.ts'
import { request } from '../helper/request.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  plainAnswer,
  sendJson,
  startSse,
  startUpstream,
  type UpstreamScript
} from '../helper/upstream.ts'

const MIB = 1_048_576
/** More than the kernel takes for a client that does not read. */
const PIECES = 320
const TEXT_LENGTH = (PIECES * MIB) / 16
const TIMEOUT_MS = 1_000

/** Pours 20 MiB as fast as it is taken. */
const pour: UpstreamScript = async (res) => {
  const piece = delta({ content: 'x'.repeat(MIB / 16) })
  startSse(res)
  const over = new AbortController()
  res.on('close', () => over.abort())
  try {
    for (let i = 0; i < PIECES; i += 1) {
      if (!res.write(piece)) await once(res, 'drain', over)
    }
    res.end(finish() + DONE)
  } catch {
    // The service wants no more.
  }
}

async function start(t: Test, script: UpstreamScript, settings: Record<string, string> = {}) {
  const upstream = await startUpstream(t, script)
  const running = await startApp(t, {
    OPENAI_BASE_URL: upstream.url,
    CLIENT_IDLE_TIMEOUT_MS: String(TIMEOUT_MS),
    MAX_ANSWER_BYTES: String(128 * MIB),
    DRAIN_TIMEOUT_MS: '0',
    ...settings
  })
  return { ...running, upstream }
}

/** Waits until the service has no connection; `fetch` keeps one, so nothing else may have been asked. */
async function noConnections({ app }: RunningApp): Promise<void> {
  const count = () =>
    new Promise<number>((resolve) => app.server.getConnections((_err, open) => resolve(open)))
  await eventually('no connection is left', async () => (await count()) === 0)
}

t.test('a client that never reads is closed, and its turn ends as if it had left', async (t) => {
  const running = await start(t, pour)
  const client = await rawChat(t, running.url, { stream: true })
  client.socket.pause()
  await eventually('the upstream is asked', () => running.upstream.calls.length === 1)
  await within(20_000, 'the cancel', running.upstream.calls[0]?.cancelled as Promise<void>)
  const turn = await onlyTurn(running)
  t.match(turn, { status: 'incomplete', error: 'client_disconnect', finish_reason: null })
  t.match(turn.assistant_text, /^x+$/, 'with the text that had come')
  t.ok((turn.assistant_text?.length ?? 0) < TEXT_LENGTH)
  await eventually('its place is free', () => running.app.streams.open === 0)
})

t.test('a client that never reads is closed even if it sends something now and then', async (t) => {
  const running = await start(t, pour)
  const client = await rawChat(t, running.url, { stream: true })
  client.socket.pause()
  const timer = setInterval(() => client.socket.write('\r\n'), TIMEOUT_MS / 5)
  t.teardown(() => clearInterval(timer))
  await eventually('the upstream is asked', () => running.upstream.calls.length === 1)
  await within(20_000, 'the cancel', running.upstream.calls[0]?.cancelled as Promise<void>)
  t.match(await onlyTurn(running), { status: 'incomplete', error: 'client_disconnect' })
})

t.test('under finish, the upstream is read to its end then', async (t) => {
  const running = await start(t, pour, { ON_DISCONNECT: 'finish' })
  const client = await rawChat(t, running.url, { stream: true })
  client.socket.pause()
  const turn = await onlyTurn(running)
  t.match(turn, { status: 'completed', error: null, finish_reason: 'stop' })
  t.equal(turn.assistant_text?.length, TEXT_LENGTH)
})

t.test('0 closes nobody', async (t) => {
  const running = await start(t, pour, { CLIENT_IDLE_TIMEOUT_MS: '0' })
  const client = await rawChat(t, running.url, { stream: true }, { connection: 'close' })
  client.socket.pause()
  await new Promise((resolve) => setTimeout(resolve, 3 * TIMEOUT_MS))
  client.socket.resume()
  await client.closed
  t.match(client.received().slice(-100), '[DONE]')
  t.match(await onlyTurn(running), { status: 'completed' })
})

t.test('a client that reads slowly but steadily is served to the end', async (t) => {
  const running = await start(t, pour)
  const since = performance.now()
  const client = await rawChat(t, running.url, { stream: true }, { connection: 'close' })
  await readSlowly(client, 500_000)
  const ms = Math.round(performance.now() - since)
  t.match(client.received().slice(-100), '[DONE]')
  t.ok(ms > 2 * TIMEOUT_MS, `it took ${ms} ms`)
  const turn = await onlyTurn(running)
  t.match(turn, { status: 'completed' })
  t.equal(turn.assistant_text?.length, TEXT_LENGTH)
})

/** Takes about `bytes` at once, ten times a second, until the connection ends. */
async function readSlowly({ socket, closed }: RawClient, bytes: number): Promise<void> {
  let taken = 0
  socket.on('data', (chunk) => {
    taken += chunk.length
    if (taken >= bytes) socket.pause()
  })
  const timer = setInterval(() => {
    taken = 0
    socket.resume()
  }, 100)
  await closed
  clearInterval(timer)
}

t.test('a long silence of the upstream closes nobody, and the connection lives on after it', async (t) => {
  const silence: UpstreamScript = async (res) => {
    startSse(res)
    res.write(delta({ content: 'Hello' }))
    await new Promise((resolve) => setTimeout(resolve, 3 * TIMEOUT_MS))
    res.end(finish() + DONE)
  }
  const running = await start(t, silence)
  const client = await rawConnect(t, running.url)
  client.socket.write(chatRequest({ stream: true }))
  await client.until('[DONE]')
  t.match(client.received(), 'Hello')

  await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT_MS))
  running.upstream.script = plainAnswer
  client.socket.write(chatRequest())
  await client.until('Hello world')
  t.equal(client.received().split('HTTP/1.1 200').length, 3, 'two answers on one connection')
})

t.test('a JSON answer that nobody takes is closed; it was kept before', async (t) => {
  const running = await start(t, (res) => sendJson(res, 200, completion('x'.repeat(16 * MIB))))
  const client = await rawChat(t, running.url)
  client.socket.pause()
  await noConnections(running)
  const turn = await onlyTurn(running)
  t.match(turn, { status: 'completed' })
  t.equal(turn.assistant_text?.length, 16 * MIB)
  t.equal(running.app.streams.open, 0)
})

t.test('a page that nobody takes is closed', async (t) => {
  const running = await start(t, plainAnswer)
  const headers = { connection: 'close' }
  const { json } = await request(`${running.url}/v1/conversations`, { body: {}, headers })
  const item = { role: 'user', content: 'x'.repeat(MIB * 1.6) }
  for (const body of [{ items: Array(6).fill(item) }, { items: Array(6).fill(item) }]) {
    const added = await request(`${running.url}/v1/conversations/${json.id}/items`, { body, headers })
    t.equal(added.status, 200)
  }
  await noConnections(running)
  const client = await rawConnect(t, running.url)
  client.socket.pause()
  const asked = once(running.app.server, 'request')
  client.socket.write(`GET /v1/conversations/${json.id}/turns?limit=100 HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await asked
  await noConnections(running)
  t.equal((await request(`${running.url}/livez`)).status, 200)
})
