import t, { type Test } from 'tap'
import type { ChatStream } from '../../client/index.js'
import { allOf, failsWith, HI, startClient } from '../helper/client.ts'
import { gate, within } from '../helper/endings.ts'
import { DONE, delta, finish, startSse, type UpstreamScript } from '../helper/upstream.ts'

/** An upstream that says `Hello`, and ` world` once the gate is open. */
async function startSlow(t: Test, settings: Record<string, string> = {}) {
  const { opened, open } = gate()
  const script: UpstreamScript = async (res) => {
    startSse(res)
    res.write(delta({ content: 'Hello' }))
    await opened
    if (!res.destroyed) res.end(delta({ content: ' world' }) + finish() + DONE)
  }
  const running = await startClient(t, { script, settings })
  t.teardown(open)
  return { ...running, open }
}

/** The first piece of an answer whose loop goes on in `rest`. */
async function firstPiece(stream: ChatStream) {
  const pieces = stream[Symbol.asyncIterator]()
  const { value } = await pieces.next()
  return { first: value, pieces }
}

const GONE = { status: 'incomplete', error: 'client_disconnect', assistant_text: 'Hello' }

t.test('stop() ends the iteration without an error, and the turn says so', async (t) => {
  const { client, upstream } = await startSlow(t)
  const stream = client.chat.stream({ messages: HI })
  const { first, pieces } = await firstPiece(stream)
  t.equal(first, 'Hello')
  const waiting = pieces.next()
  stream.stop()
  t.strictSame(await waiting, { done: true, value: undefined })
  t.match(await stream.turn(), { ...GONE, id: (await stream.filed)?.turnId })
  await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
  t.strictSame(await allOf(stream), [], 'there is nothing more to read')
  stream.stop()
})

t.test('to leave a loop is to stop', async (t) => {
  const { client } = await startSlow(t)
  const left = client.chat.stream({ messages: HI })
  for await (const piece of left) {
    t.equal(piece, 'Hello')
    break
  }
  t.match(await left.turn(), GONE)

  const thrown = client.chat.stream({ messages: HI })
  const loop = async () => {
    for await (const _ of thrown.chunks()) throw new Error('mine')
  }
  await t.rejects(loop(), { message: 'mine' })
  t.match(await thrown.turn(), GONE)
})

t.test('with onDisconnect: finish the turn is waited for', async (t) => {
  const { client, open, app } = await startSlow(t)
  const stream = client.chat.stream({ messages: HI }, { onDisconnect: 'finish' })
  await firstPiece(stream)
  stream.stop()
  const turn = stream.turn()
  const { listTurns } = app.store
  let asked = 0
  app.store.listTurns = (...args) => {
    asked += 1
    if (asked === 2) open()
    return listTurns(...args)
  }
  t.match(await turn, { status: 'completed', assistant_text: 'Hello world' })
  t.ok(asked >= 2, `it was asked ${asked} times`)
})

t.test('stop() after the end changes nothing', async (t) => {
  const { client } = await startClient(t)
  const stream = client.chat.stream({ messages: HI })
  t.equal((await allOf(stream)).join(''), 'Hello world')
  stream.stop()
  t.match(await stream.turn(), { status: 'completed', assistant_text: 'Hello world' })
})

t.test('stop() before the headers leaves nothing to know', async (t) => {
  const asked = gate()
  const { client, upstream } = await startClient(t, { script: asked.open })
  const stream = client.chat.stream({ messages: HI })
  await asked.opened
  stream.stop()
  t.equal(await stream.filed, null)
  t.strictSame(await allOf(stream), [])
  t.equal(await stream.turn(), null)
  await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
})

t.test("an aborted signal's reason comes out of everything, untouched", async (t) => {
  const { client } = await startSlow(t)
  const reason = { why: 'the page was left' }
  const controller = new AbortController()
  const stream = client.chat.stream({ messages: HI }, { signal: controller.signal })
  const { pieces } = await firstPiece(stream)
  const rest = pieces.next()
  controller.abort(reason)
  for (const one of [rest, allOf(stream.chunks()), stream.turn()]) t.equal(await one.catch((e) => e), reason)
  t.match(await stream.filed, { seq: 1 }, 'what was known stays known')

  const aborted = client.chat.stream({ messages: HI }, { signal: controller.signal })
  for (const one of [aborted.filed, allOf(aborted), aborted.turn()])
    t.equal(await one.catch((e) => e), reason)
  const { signal } = controller
  for (const one of [
    client.conversations.get('conv_1', { signal }),
    allOf(client.conversations.list({}, { signal })),
    client.chat.create({ messages: HI }, { signal }),
    client.metrics({ signal })
  ]) {
    t.equal(await one.catch((e) => e), reason)
  }
})

t.test('a signal ends a call that is under way, a wait for the turn too', async (t) => {
  const { client, app } = await startSlow(t)
  const late = await client.chat.create({ messages: HI }, { signal: AbortSignal.timeout(50) }).catch((e) => e)
  t.equal(late.name, 'TimeoutError')

  const controller = new AbortController()
  const stream = client.chat.stream({ messages: HI }, { signal: controller.signal, onDisconnect: 'finish' })
  await firstPiece(stream)
  stream.stop()
  const { listTurns } = app.store
  const asked = gate()
  let times = 0
  app.store.listTurns = (...args) => {
    times += 1
    if (times === 5) asked.open() // it then waits for more than a second
    return listTurns(...args)
  }
  const turn = stream.turn()
  await asked.opened
  await new Promise((resolve) => setTimeout(resolve, 50))
  controller.abort('enough')
  t.equal(
    await within(
      500,
      'the end of the wait',
      turn.catch((e) => e)
    ),
    'enough'
  )
})

t.test('the turn is asked for as the answer was: with its headers and its signal', async (t) => {
  const { client, app } = await startClient(t, { settings: { AUTH: 'header' } })
  const controller = new AbortController()
  const { signal } = controller
  const stream = client.chat.stream({ messages: HI }, { signal, headers: { 'x-session-id': 'anne' } })
  t.match(await stream.turn(), { status: 'completed' })
  const asked = gate()
  app.store.listTurns = () => {
    asked.open()
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)))
  }
  const turn = stream.turn()
  await asked.opened
  controller.abort('enough')
  t.equal(await turn.catch((e) => e), 'enough')
})

t.test('what came before an abort and was not read is not given any more', async (t) => {
  const { client } = await startClient(t)
  const controller = new AbortController()
  const { signal } = controller
  const stream = client.chat.stream({ messages: HI, store: false }, { signal })
  const { first, pieces } = await firstPiece(stream)
  t.equal(first, 'Hello')
  t.equal(await stream.turn(), null, 'all of it has come')
  controller.abort('left')
  t.equal(await pieces.next().catch((e) => e), 'left')
  t.equal(await stream.turn().catch((e) => e), 'left')
})

t.test('a failure that nobody waits for is no unhandled rejection', async (t) => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const { client } = await startClient(t, { script: (res) => void res.writeHead(500).end('{}') })
  client.chat.stream({ messages: HI })
  client.chat.stream({ messages: [] })
  client.chat.stream({ messages: HI }, { signal: AbortSignal.abort() })
  const stopped = client.chat.stream({ messages: HI })
  stopped.stop()
  const last = client.chat.stream({ messages: HI })
  await failsWith(t, allOf(last), { status: 500 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.strictSame(unhandled, [])
})
