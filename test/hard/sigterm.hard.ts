import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { gate } from '../helper/endings.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { startServer } from '../helper/server-process.ts'
import { DONE, delta, finish, startSse, startUpstream } from '../helper/upstream.ts'
import { ask, type KeptTurn, questionOf, type Seen, turnsAfter } from './asking.ts'

// SIGTERM amid open streams: half of them end inside the window, the others never would.
const STREAMS = Number(process.env.STREAMS ?? 200)
const DRAIN_MS = 3_000
/** What closing may take beyond the window. */
const GRACE_MS = 2_000
const PIECE_MS = 200
const OPENERS = 10
/** How long after the signal the streams of the first half end. */
const ENDING_MS = 500

t.setTimeout(300_000)

interface Client extends Seen {
  /** The stream as it came. */
  stream: string
}

async function drain(t: Test, dbUrl: string, streams: number, signals: NodeJS.Signals[]) {
  const ending = gate()
  const upstream = await startUpstream(t, async (res, call) => {
    const question = questionOf(call.body)
    startSse(res)
    res.write(delta({ role: 'assistant', content: `${question} begins; ` }))
    if (question.startsWith('ends')) {
      await ending.opened
      return void res.end(delta({ content: 'Grüße 😀' }) + finish() + DONE)
    }
    for (let piece = 0; !res.destroyed; piece++) {
      await sleep(PIECE_MS)
      res.write(delta({ content: `${piece} Grüße 😀; ` }))
    }
  })
  const settings = {
    DB_URL: dbUrl,
    OPENAI_BASE_URL: upstream.url,
    DRAIN_TIMEOUT_MS: String(DRAIN_MS),
    MAX_STREAMS_PER_SESSION: '0',
    LOG_LEVEL: 'error'
  }
  const server = await startServer(t, { ...settings, INSTANCE_ID: 'first' })

  const clients: Promise<Client>[] = []
  const open = async (index: number): Promise<void> => {
    const begins = gate()
    let stream = ''
    const question = `${index % 2 === 0 ? 'ends' : 'never'} ${index}`
    const seen = ask(server.url, question, undefined, (text) => {
      stream = text
      if (text.includes('begins')) begins.open()
    })
    clients.push(seen.then((all) => ({ ...all, stream })))
    await Promise.race([begins.opened, seen])
  }
  // Few at a time: what is tested is how streams end, not how many can begin at once.
  const opener = async (): Promise<void> => {
    while (opened < streams) await open(opened++)
  }
  let opened = 0
  await Promise.all(Array.from({ length: OPENERS }, opener))
  const [first, ...others] = signals
  const signalledAt = performance.now()
  if (first) server.kill(first)
  await sleep(ENDING_MS)
  for (const signal of others) server.kill(signal)
  ending.open()
  const all = await Promise.all(clients)
  const { code, signal } = await server.exited
  const exitMs = Math.round(performance.now() - signalledAt)
  t.strictSame({ code, signal }, { code: 0, signal: null }, 'it ends by itself, and well')
  t.equal(server.output.stdout, '', 'and has no error to tell')

  // Another instance, so that nothing is recovered in the name of the first.
  const second = await startServer(t, { ...settings, INSTANCE_ID: 'second' })
  const rows = await Promise.all(
    all.map(async ({ status, conversationId }) =>
      status === 200 ? (await turnsAfter(second.url, conversationId, 0))[0] : undefined
    )
  )
  const faults = all.flatMap((client, index) => faultOf(client, rows[index]) ?? [])
  return { all, exitMs, faults }
}

const LAST_EVENT = /data: (\{"error":.*\})\n\n$/

function faultOf(client: Client, turn: KeptTurn | undefined): string | null {
  const { question, stream } = client
  const tell = (what: string) =>
    `${question}: ${what}: ${JSON.stringify(turn)} ${JSON.stringify(stream.slice(-300))}`
  if (!turn) return tell('there is no turn')
  if (turn.assistant_text !== client.answer) return tell('the text is not what the client got')
  if (question.startsWith('ends')) {
    if (client.answer !== `${question} begins; Grüße 😀`) return tell('the text is not whole')
    if (!client.done || !stream.endsWith(DONE)) return tell('no end mark')
    return turn.status === 'completed' && turn.error === null ? null : tell('not completed')
  }
  if (client.done) return tell('an end mark')
  const error = LAST_EVENT.exec(stream)?.[1]
  if (!error || JSON.parse(error).error.code !== 'server_shutdown') return tell('no error event at the end')
  if (stream.split('"error":').length !== 2) return tell('more than one error event')
  return turn.status === 'incomplete' && turn.error === 'server_shutdown'
    ? null
    : tell('saved as another end')
}

async function holds(t: Test, name: string, streams: number, signals: NodeJS.Signals[]) {
  const makePlace = DRIVERS[name]
  if (!makePlace) throw new Error(`no driver ${name}`)
  const { all, exitMs, faults } = await drain(t, await makePlace(t), streams, signals)
  const completed = all.filter((client) => client.done).length
  const figures = { streams, completed, stopped: streams - completed, exitMs, faults: faults.length }
  process.stderr.write(`${name}, ${signals.join(' + ')}: ${JSON.stringify(figures)}\n`)
  t.equal(completed, Math.ceil(streams / 2), 'all that ended in time are complete')
  t.strictSame(faults.slice(0, 5), [])
  t.ok(exitMs <= DRAIN_MS + GRACE_MS, `ended ${exitMs} ms after the signal`)
}

for (const name of Object.keys(DRIVERS)) {
  t.test(`${name}: on SIGTERM every open stream ends well or is told and saved`, (t) =>
    holds(t, name, STREAMS, ['SIGTERM'])
  )
}

t.test('further signals amid the drain neither cut it short nor prolong it', (t) =>
  holds(t, 'sqlite', Math.min(STREAMS, 40), ['SIGTERM', 'SIGINT', 'SIGTERM'])
)
