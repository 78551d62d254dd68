import t from 'tap'
import { type RunningApp, startApp, tempFolder } from './helper/app.ts'
import { lockedDatabase } from './helper/database.ts'
import { gate, isErrorBody, type TurnRow, within } from './helper/endings.ts'
import { rawChat } from './helper/raw-client.ts'
import { completion, DONE, delta, finish, sendJson, startSse, startUpstream } from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const WORLD = delta({ content: ' world' })
const WHOLE = { status: 'completed', error: null, assistant_text: 'Hello world' }
const ROUNDS = 50

/** Long enough for an answer that nothing holds back. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 300))

t.test('whoever sees [DONE] finds the turn completed, every time', async (t) => {
  const upstream = await startUpstream(t)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const statuses = new Set<string | undefined>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const client = await rawChat(t, running.url, { stream: true })
    await client.until('[DONE]')
    statuses.add((await turnNamedIn(running, client.received()))?.status)
    client.socket.destroy()
  }
  t.strictSame([...statuses], ['completed'])
  t.equal(upstream.calls.length, ROUNDS)
})

t.test('whoever sees a JSON answer finds the turn completed, every time', async (t) => {
  const upstream = await startUpstream(t)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const statuses = new Set<string | undefined>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const client = await rawChat(t, running.url)
    await client.until('"finish_reason"')
    statuses.add((await turnNamedIn(running, client.received()))?.status)
    client.socket.destroy()
  }
  t.strictSame([...statuses], ['completed'])
})

t.test('while the store cannot write, deltas arrive and [DONE] does not', async (t) => {
  const { running, dbUrl, ending } = await scene(t, async (res) => {
    startSse(res)
    res.write(HELLO)
    await ending.opened
    res.end(WORLD + finish() + DONE)
  })
  const client = await rawChat(t, running.url, { stream: true })
  await client.until('Hello')
  const lock = lockedDatabase(t, dbUrl)
  ending.open()
  await client.until('"finish_reason":"stop"')
  await aMoment()
  t.notMatch(client.received(), 'data: [DONE]')
  t.match(await turnNamedIn(running, client.received()), { status: 'in_progress', assistant_text: null })
  const asked = performance.now()
  await fetch(`${running.url}/livez`)
  t.ok(performance.now() - asked < 1_000, 'the service goes on while it waits for the lock')
  lock.release()
  await within(5_000, '[DONE]', client.until('data: [DONE]'))
  t.match(await turnNamedIn(running, client.received()), WHOLE)
})

t.test('while the store cannot write, a JSON answer does not arrive', async (t) => {
  const called = gate()
  const { running, dbUrl, ending } = await scene(t, async (res) => {
    called.open()
    await ending.opened
    sendJson(res, 200, completion('Hello world'))
  })
  const client = await rawChat(t, running.url)
  await called.opened
  const lock = lockedDatabase(t, dbUrl)
  ending.open()
  await aMoment()
  t.equal(client.received(), '', 'not even its head')
  lock.release()
  await within(5_000, 'the answer', client.until('"finish_reason"'))
  t.match(await turnNamedIn(running, client.received()), WHOLE)
})

t.test('an error is held back as well: whoever sees it finds the turn ended', async (t) => {
  const { running, dbUrl, ending } = await scene(t, async (res) => {
    startSse(res)
    res.write(HELLO)
    await ending.opened
    res.end()
  })
  const client = await rawChat(t, running.url, { stream: true })
  await client.until('Hello')
  const lock = lockedDatabase(t, dbUrl)
  ending.open()
  await aMoment()
  t.notMatch(client.received(), '"error"')
  lock.release()
  await within(5_000, 'the error', client.until('upstream_truncated'))
  t.match(await turnNamedIn(running, client.received()), { status: 'incomplete', assistant_text: 'Hello' })
})

t.test('a client that leaves while its [DONE] is held back has a completed turn', async (t) => {
  const { running, dbUrl, ending } = await scene(t, async (res) => {
    startSse(res)
    res.write(HELLO)
    await ending.opened
    res.end(WORLD + finish() + DONE)
  })
  const client = await rawChat(t, running.url, { stream: true })
  await client.until('Hello')
  const lock = lockedDatabase(t, dbUrl)
  ending.open()
  await client.until('"finish_reason":"stop"')
  await aMoment()
  client.socket.destroy()
  await aMoment()
  lock.release()
  const head = client.received()
  await within(5_000, 'the row', untilEnded(running, head))
  t.match(await turnNamedIn(running, head), WHOLE)
})

t.test('a store that stays locked: no call for a new question, no [DONE] for an old one', async (t) => {
  const { running, upstream, dbUrl, ending } = await scene(
    t,
    async (res) => {
      startSse(res)
      res.write(HELLO)
      await ending.opened
      res.end(WORLD + finish() + DONE)
    },
    { FINAL_WRITE_TIMEOUT_MS: '1' }
  )
  const old = await rawChat(t, running.url, { stream: true }, { connection: 'close' })
  await old.until('Hello')
  const lock = lockedDatabase(t, dbUrl)
  ending.open()

  const refused = await within(15_000, 'the refusal', running.chat({ stream: true }))
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '1')
  t.equal(refused.headers.get('x-conversation-id'), null)
  isErrorBody(t, await refused.text(), 'storage_unavailable')
  t.equal(upstream.calls.length, 1, 'only the old question went to the upstream')

  await within(5_000, 'the end', old.closed)
  t.match(old.received(), /"finish_reason":"stop".*data: \{"error":.*storage_unavailable/s)
  t.notMatch(old.received(), '[DONE]')

  lock.release()
  const list = (await (await fetch(`${running.url}/v1/conversations`)).json()) as { data: unknown[] }
  t.equal(list.data.length, 1, 'the refused question left nothing behind')
  await within(10_000, 'the row', untilEnded(running, old.received()))
  t.match(await turnNamedIn(running, old.received()), WHOLE, 'the old answer is kept after all')
})

/** A service whose SQLite file the test can lock, and an upstream whose ending waits for the test. */
async function scene(
  t: Parameters<typeof startUpstream>[0],
  script: NonNullable<Parameters<typeof startUpstream>[1]>,
  settings: Record<string, string> = {}
) {
  const ending = gate()
  const dbUrl = `sqlite:${tempFolder(t)}/test.db`
  const upstream = await startUpstream(t, script)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: dbUrl, ...settings })
  return { upstream, running, dbUrl, ending }
}

/** The turn that a response's head announces, as it is now. */
async function turnNamedIn({ turnsOf }: RunningApp, head: string): Promise<TurnRow | undefined> {
  const conversationId = /x-conversation-id: (\S+)/i.exec(head)?.[1] ?? ''
  return (await turnsOf(conversationId))[0]
}

async function untilEnded(running: RunningApp, head: string): Promise<void> {
  while ((await turnNamedIn(running, head))?.status === 'in_progress') await aMoment()
}
