import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { eventually, within } from '../helper/endings.ts'
import { chatRequest, type RawClient, rawConnect } from '../helper/raw-client.ts'
import { plainAnswer, startUpstream } from '../helper/upstream.ts'

/** Node looks for late requests every 5 s. */
const SOON_MS = 15_000

async function start(t: Test, settings: Record<string, string>) {
  const upstream = await startUpstream(t)
  return { upstream, ...(await startApp(t, { OPENAI_BASE_URL: upstream.url, ...settings })) }
}

/** Sends `text` a byte at a time. */
function trickle({ socket, closed }: RawClient, text: string): void {
  let at = 0
  const timer = setInterval(() => socket.write(text[at++] ?? 'x'), 100)
  closed.then(() => clearInterval(timer))
}

t.test('heads and bodies that take too long are closed with a 408, and others are unharmed', async (t) => {
  const { url, chat, upstream } = await start(t, { HEADERS_TIMEOUT_MS: '500', REQUEST_TIMEOUT_MS: '1000' })
  const whole = chatRequest()
  const bodyAt = whole.indexOf('\r\n\r\n') + 4
  const begun: Record<string, string> = {
    'half a head': whole.slice(0, 40),
    'a head and half a body': whole.slice(0, bodyAt + 10)
  }
  const late = Object.entries(begun).map(async ([what, text]) => {
    const client = await rawConnect(t, url)
    client.socket.write(text)
    await within(SOON_MS, `the close of ${what}`, client.closed)
    t.match(client.received(), /^HTTP\/1\.1 408 /, what)
  })
  const slow = [whole.slice(0, 30), whole.slice(0, bodyAt)].map(async (first) => {
    const client = await rawConnect(t, url)
    client.socket.write(first)
    trickle(client, whole.slice(first.length, -1))
    await within(SOON_MS, 'the close of one that sends a byte now and then', client.closed)
    t.match(client.received(), /^HTTP\/1\.1 408 /)
  })
  const quick = await rawConnect(t, url)
  quick.socket.write(whole)
  await quick.until('Hello world')
  await Promise.all([...late, ...slow])
  t.equal(upstream.calls.length, 1, 'nothing of the others was asked')
  quick.socket.write(whole)
  await quick.until('HTTP/1.1 200').then(() => quick.until('Hello world'))
  t.equal((await chat()).status, 200)
})

t.test('an answer may take longer than the request had time', async (t) => {
  const { upstream, chat } = await start(t, { HEADERS_TIMEOUT_MS: '200', REQUEST_TIMEOUT_MS: '500' })
  upstream.script = async (res, call, req) => {
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    await plainAnswer(res, call, req)
  }
  t.equal((await chat()).status, 200)
})

t.test('a connection that nobody uses is closed', async (t) => {
  const { url } = await start(t, { KEEP_ALIVE_TIMEOUT_MS: '300' })
  const client = await rawConnect(t, url)
  client.socket.write(chatRequest())
  await client.until('Hello world')
  t.match(client.received(), /^connection: keep-alive/im)
  await within(SOON_MS, 'the close', client.closed)
})

t.test('a head above MAX_HEADER_BYTES is a 431', async (t) => {
  const { url, upstream } = await start(t, { MAX_HEADER_BYTES: '4000' })
  for (const [bytes, status] of [
    [3_000, 200],
    [5_000, 431]
  ] as const) {
    const client = await rawConnect(t, url)
    client.socket.write(chatRequest({}, { 'x-long': 'x'.repeat(bytes), connection: 'close' }))
    await within(SOON_MS, 'the close', client.closed)
    t.equal(client.received().slice(0, 12), `HTTP/1.1 ${status}`)
  }
  t.equal(upstream.calls.length, 1)
})

t.test('who sends no HTTP is told so and closed, also when it does not hang up itself', async (t) => {
  const { app, url } = await start(t, {})
  const socket = net.connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  socket.write('garbage\r\n\r\n')
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1\.1 400 /)
  const connections = () =>
    new Promise<number>((resolve) => app.server.getConnections((_err, count) => resolve(count)))
  t.equal(await connections(), 1)
  await eventually('its connection is closed', async () => (await connections()) === 0)
})
