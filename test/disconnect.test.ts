import t, { type Test } from 'tap'
import { type RunningApp, startApp } from './helper/app.ts'
import { gate, onlyTurn, within } from './helper/endings.ts'
import { type RawClient, rawChat } from './helper/raw-client.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  type ScriptedUpstream,
  startSse,
  startUpstream,
  type UpstreamScript
} from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const GONE = { status: 'incomplete', error: 'client_disconnect', finish_reason: null, user_text: 'Hi' }
const WHOLE = { status: 'completed', error: null, finish_reason: 'stop', assistant_text: 'Hello world' }
const JSON_ANSWER = JSON.stringify(completion('Hello world'))

/** How far the upstream gets before the client leaves, and how it would go on. */
interface Moment {
  title: string
  stream: boolean
  before: UpstreamScript
  /** Resolves when the client has got as far. */
  reached: (client: RawClient) => Promise<void>
  after: UpstreamScript
  text: string | null
}

const startJson: UpstreamScript = (res) => {
  res.writeHead(200, { 'content-type': 'application/json' })
  res.write(JSON_ANSWER.slice(0, 50))
}

const moments: Moment[] = [
  {
    title: "before the stream's headers",
    stream: true,
    before: () => {},
    reached: async () => {},
    after: (res) => {
      startSse(res)
      res.end(HELLO + delta({ content: ' world' }) + finish() + DONE)
    },
    text: null
  },
  {
    title: 'after the headers and no byte of the stream',
    stream: true,
    before: startSse,
    reached: (client) => client.until('\r\n\r\n'),
    after: (res) => void res.end(HELLO + delta({ content: ' world' }) + finish() + DONE),
    text: null
  },
  {
    title: 'in the middle of the stream',
    stream: true,
    before: (res) => {
      startSse(res)
      res.write(HELLO)
    },
    reached: (client) => client.until('Hello'),
    after: (res) => void res.end(delta({ content: ' world' }) + finish() + DONE),
    text: 'Hello'
  },
  {
    title: "before the JSON answer's headers",
    stream: false,
    before: () => {},
    reached: async () => {},
    after: (res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON_ANSWER),
    text: null
  },
  {
    title: 'in the middle of the JSON answer',
    stream: false,
    before: startJson,
    reached: async () => {},
    after: (res) => void res.end(JSON_ANSWER.slice(50)),
    text: null
  }
]

interface Scene {
  upstream: ScriptedUpstream
  running: RunningApp
  client: RawClient
  /** Lets the upstream go on. */
  goOn: () => void
}

/** A client that has got as far as `moment` says. */
async function play(
  t: Test,
  moment: Moment,
  settings: Record<string, string>,
  headers: Record<string, string>
): Promise<Scene> {
  const begun = gate()
  const rest = gate()
  const upstream = await startUpstream(t, async (res, call, req) => {
    await moment.before(res, call, req)
    begun.open()
    await rest.opened
    if (!res.destroyed) await moment.after(res, call, req)
  })
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, DRAIN_TIMEOUT_MS: '0', ...settings })
  const client = await rawChat(t, running.url, { stream: moment.stream }, headers)
  await begun.opened
  await moment.reached(client)
  return { upstream, running, client, goOn: rest.open }
}

const abort = [
  { by: 'default', settings: {}, headers: {} },
  { by: 'ON_DISCONNECT', settings: { ON_DISCONNECT: 'abort' }, headers: {} },
  { by: 'its header', settings: { ON_DISCONNECT: 'finish' }, headers: { 'x-on-disconnect': 'abort' } }
]
const keepOn = [
  { by: 'ON_DISCONNECT', settings: { ON_DISCONNECT: 'finish' }, headers: {} },
  { by: 'its header', settings: { ON_DISCONNECT: 'abort' }, headers: { 'x-on-disconnect': 'finish' } }
]

for (const moment of moments) {
  for (const { by, settings, headers } of abort) {
    t.test(`a client that leaves ${moment.title} cancels the upstream (abort by ${by})`, async (t) => {
      const { upstream, running, client } = await play(t, moment, settings, headers)
      client.socket.destroy()
      await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
      t.match(await onlyTurn(running), { ...GONE, assistant_text: moment.text })
      t.equal(upstream.calls.length, 1)
    })
  }

  for (const { by, settings, headers } of keepOn) {
    t.test(`a client that leaves ${moment.title} gets its answer stored (finish by ${by})`, async (t) => {
      const { running, client, goOn } = await play(t, moment, settings, headers)
      client.socket.destroy()
      await client.closed
      await connectionsGone(running)
      goOn()
      t.match(await onlyTurn(running), WHOLE)
    })
  }
}

t.test('a client that resets its connection has left as well', async (t) => {
  const { upstream, running, client } = await play(t, moments[2] as Moment, {}, {})
  client.socket.resetAndDestroy()
  await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
  t.match(await onlyTurn(running), { ...GONE, assistant_text: 'Hello' })
})

t.test('a client that only closes its sending side still gets its answer', async (t) => {
  const { running, client, goOn } = await play(t, moments[2] as Moment, {}, { connection: 'close' })
  client.socket.end()
  goOn()
  await client.closed
  t.match(client.received(), /Hello.* world.*\[DONE\]/s)
  t.match(await onlyTurn(running), WHOLE)
})

t.test('with finish, an upstream that breaks off after the client left is what is recorded', async (t) => {
  const broken = { ...(moments[2] as Moment), after: (res) => void res.socket?.destroy() } as Moment
  const { running, client, goOn } = await play(t, broken, { ON_DISCONNECT: 'finish' }, {})
  client.socket.destroy()
  await connectionsGone(running)
  goOn()
  t.match(await onlyTurn(running), {
    status: 'incomplete',
    error: 'upstream_truncated',
    assistant_text: 'Hello'
  })
})

t.test('with finish, the idle timeout still ends an answer that nobody waits for', async (t) => {
  const settings = { ON_DISCONNECT: 'finish', UPSTREAM_IDLE_TIMEOUT_MS: '200' }
  const { upstream, running, client } = await play(t, moments[2] as Moment, settings, {})
  client.socket.destroy()
  t.match(await onlyTurn(running), { error: 'upstream_timeout', assistant_text: 'Hello' })
  await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
})

t.test('a client that leaves once it has all of its answer changes nothing', async (t) => {
  const { running, client, goOn } = await play(t, moments[2] as Moment, {}, {})
  goOn()
  await client.until('[DONE]')
  client.socket.destroy()
  t.match(await onlyTurn(running), WHOLE)
})

t.test('another policy than the two is refused', async (t) => {
  const upstream = await startUpstream(t)
  const { chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const res = await chat({}, { 'x-on-disconnect': 'linger' })
  t.equal(res.status, 400)
  t.match(await res.json(), { error: { type: 'invalid_request_error', param: 'x-on-disconnect' } })
  t.equal(upstream.calls.length, 0)
})

/** Waits until the service, too, knows that no client is connected. */
async function connectionsGone({ app }: RunningApp): Promise<void> {
  const count = () =>
    new Promise<number>((resolve) => app.server.getConnections((_err, open) => resolve(open)))
  while ((await count()) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}
