import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { gate, within } from '../helper/endings.ts'
import { startDatabase } from '../helper/postgres.ts'
import { startServer } from '../helper/server-process.ts'
import { DONE, delta, finish, startSse, startUpstream } from '../helper/upstream.ts'
import { ask, createConversation, turnsAfter } from './asking.ts'

const RUNNING = 5
const MAX_RECOVERY_MS = 25_000
const STOPPED_MS = 20_000

t.setTimeout(120_000)
t.jobs = 2 // both mostly wait

/** Instance A, whose answers stop halfway until `finish`, and instance B, on one database. */
async function start(t: Test) {
  const ending = gate()
  const upstream = await startUpstream(t, async (res) => {
    startSse(res)
    res.write(delta({ content: 'first half, ' }))
    await ending.opened
    res.end(delta({ content: 'second half' }) + finish() + DONE)
  })
  const settings = {
    DB_URL: await startDatabase(),
    OPENAI_BASE_URL: upstream.url,
    LOG_LEVEL: 'error'
  }
  const [a, b] = await Promise.all(
    ['a', 'b'].map((INSTANCE_ID) => startServer(t, { ...settings, INSTANCE_ID }))
  )
  if (!a || !b) throw new Error('both have started')
  return { a, b, finish: ending.open }
}

/** Asks, and resolves once the first half has come; `answer` resolves when the rest has, or the server is gone. */
async function askHalf(url: string, conversation: string) {
  const half = gate()
  const answer = ask(url, 'Hi', conversation, (text) => text.includes('first half') && half.open())
  await within(10_000, 'the first half', half.opened)
  return { answer }
}

/** Waits until no turn of the conversation runs, as B sees it. Resolves to the time it took. */
async function untilEnded(url: string, conversation: string): Promise<number> {
  const startedAt = performance.now()
  while ((await turnsAfter(url, conversation, 0)).some(({ status }) => status === 'in_progress')) {
    if (performance.now() - startedAt > MAX_RECOVERY_MS) throw new Error('turns are still running')
    await sleep(100)
  }
  return performance.now() - startedAt
}

t.test(
  'the turns of a process that was killed for good are ended by another within 25 s',
  { buffered: true },
  async (t) => {
    const { a, b, finish } = await start(t)
    const conversation = await createConversation(a.url)
    const halves = await Promise.all(Array.from({ length: RUNNING }, () => askHalf(a.url, conversation)))
    await sleep(6_000) // B has seen A's beat at least once
    a.kill('SIGKILL')
    const tookMs = await untilEnded(b.url, conversation)
    process.stderr.write(`killed for good: ${RUNNING} turns ended after ${(tookMs / 1000).toFixed(1)} s\n`)
    await Promise.all(halves.map(({ answer }) => answer))
    t.match(
      await turnsAfter(b.url, conversation, 0),
      Array(RUNNING).fill({ status: 'incomplete', error: 'server_lost', user_text: 'Hi' })
    )
    finish()
    t.match(await ask(b.url, 'next', conversation), { seq: RUNNING + 1, done: true })
  }
)

t.test(
  'a process that was stopped for 20 s and goes on wins over the one that took it for dead',
  { buffered: true },
  async (t) => {
    const { a, b, finish } = await start(t)
    const conversation = await createConversation(a.url)
    const { answer } = await askHalf(a.url, conversation)
    const stoppedAt = performance.now()
    a.kill('SIGSTOP')
    await untilEnded(b.url, conversation)
    const markedMs = performance.now() - stoppedAt
    const lost = { status: 'incomplete', error: 'server_lost' }
    t.match(await turnsAfter(b.url, conversation, 0), [lost])
    await sleep(STOPPED_MS - markedMs)
    a.kill('SIGCONT')
    finish()
    const seen = await within(20_000, 'the answer', answer)
    t.ok(seen.done)
    const turns = await turnsAfter(b.url, conversation, 0)
    t.equal(turns.length, 1)
    const whole = { status: 'completed', error: null, assistant_text: 'first half, second half' }
    t.match(turns, [{ id: seen.turnId, ...whole }])
    const next = await ask(a.url, 'next', conversation)
    t.match([next.seq, next.done], [2, true], 'it goes on as if nothing had been')
    await sleep(6_000) // B has looked again
    t.match(await turnsAfter(b.url, conversation, 0), [whole, whole])
    process.stderr.write(
      `stopped: marked after ${(markedMs / 1000).toFixed(1)} s, then finished; nothing lost\n`
    )
  }
)
