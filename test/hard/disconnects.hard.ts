import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { tempFolder } from '../helper/app.ts'
import { openDatabase } from '../helper/database.ts'
import { eventually } from '../helper/endings.ts'
import { startWatched } from '../helper/watched-server.ts'
import { randomFrom } from './asking.ts'
import { startEndless, type UpstreamCall } from './disconnects/endless-upstream.ts'
import { type Departure, leave } from './disconnects/leaving-client.ts'
import { diceOf } from './fuzz/odd.ts'

// Clients that leave at random moments, about a hundred at a time: what they leave behind must go as well.
const DISCONNECTS = Number(process.env.DISCONNECTS ?? 10_000)
const WARM_UP = Math.min(DISCONNECTS, 1_000)
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000))
const AT_ONCE = 100
/** Well above the second that the printed figure is to stay below: a busy machine is no fault. */
const CANCEL_MS = 10_000
const HEAP_BYTES = 15 * 1_048_576
const PROBE_EVERY_MS = 50

t.setTimeout(600_000)

const percentile = (values: number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN)
}

/** How long after its client an upstream call ended; null when there was none, or it had its end before. */
function cancelMs({ leftAt, way }: Departure, call: UpstreamCall | undefined): number | null {
  if (!call || leftAt === null || way === 'half-close') return null
  if (call.endedAt === null) return Number.POSITIVE_INFINITY
  return call.endedAt < leftAt ? null : call.endedAt - leftAt
}

t.test('clients that leave take their upstream calls, sockets, turns and memory with them', async (t) => {
  const startedAt = performance.now()
  const upstream = await startEndless(t)
  const dbUrl = `sqlite:${tempFolder(t)}/storm.db`
  const server = await startWatched(t, {
    DB_URL: dbUrl,
    OPENAI_BASE_URL: upstream.url,
    LOG_LEVEL: 'warn',
    MAX_STREAMS_PER_SESSION: '0'
  })
  const dice = diceOf(randomFrom(SEED))
  const departures: Departure[] = []
  let next = 0
  const storm = async (upTo: number): Promise<void> => {
    const client = async (): Promise<void> => {
      while (next < upTo && server.alive()) departures.push(await leave(dice, server.url, next++))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, client))
  }
  const running = () => [...upstream.calls.values()].filter((call) => call.endedAt === null).length
  const quiet = async (): Promise<void> => {
    await eventually('no upstream call is left', () => running() === 0)
    await eventually('no socket is left', async () => (await server.ask('sockets')) === 0)
    await eventually('the upstream has none either', () => upstream.openSockets() === 0)
  }

  await storm(WARM_UP)
  await quiet()
  const before = await server.ask('memory')

  const ownDelay = monitorEventLoopDelay({ resolution: 10 }) // clients and upstream share this process
  ownDelay.enable()
  let storming = true
  const probes: number[] = []
  const probing = (async () => {
    while (storming) {
      const askedAt = performance.now()
      const res = await fetch(`${server.url}/readyz`, { headers: { connection: 'close' } })
      await res.text()
      probes.push(res.status === 200 ? performance.now() - askedAt : Number.POSITIVE_INFINITY)
      await sleep(PROBE_EVERY_MS)
    }
  })()
  await storm(DISCONNECTS)
  storming = false
  await probing
  ownDelay.disable()
  await quiet()
  const after = await server.ask('memory')

  const database = openDatabase(t, dbUrl)
  const count = database.prepare(
    'select status, error, count(*) as turns from turns group by 1, 2 order by 1, 2'
  )
  const rows = () => count.all() as { status: string; error: string | null; turns: number }[]
  await eventually('no turn is left open', () => rows().every(({ status }) => status !== 'in_progress'))

  const cancels = departures.flatMap((one) => cancelMs(one, upstream.calls.get(one.question)) ?? [])
  const figures = {
    disconnects: departures.length,
    cancelled: cancels.length,
    cancelP50Ms: percentile(cancels, 0.5),
    cancelP99Ms: percentile(cancels, 0.99),
    cancelMaxMs: percentile(cancels, 1),
    ownDelayP99Ms: Math.round(ownDelay.percentile(99) / 1e6),
    readyzP99Ms: percentile(probes, 0.99),
    heapMiB: [before.heapUsed, after.heapUsed].map((bytes) => Math.round(bytes / 104_857.6) / 10),
    rssMiB: [before.rss, after.rss].map((bytes) => Math.round(bytes / 1_048_576)),
    turns: Object.fromEntries(
      rows().map(({ status, error, turns }) => [`${status} ${error ?? ''}`.trim(), turns])
    )
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  process.stderr.write(`disconnects: seed ${SEED}, ${seconds} s, ${JSON.stringify(figures)}\n`)

  t.equal(departures.length, DISCONNECTS)
  t.ok(cancels.length > DISCONNECTS / 10, 'many left amid their answer')
  t.ok(figures.cancelP99Ms <= CANCEL_MS, `cancelled within ${figures.cancelP99Ms} ms at p99`)
  t.ok(probes.length > 0 && probes.every(Number.isFinite), 'it was ready all the time')
  t.ok(after.heapUsed - before.heapUsed <= HEAP_BYTES, 'the heap is back')
  t.ok(figures.turns['incomplete client_disconnect'], 'turns were left')
  t.ok(figures.turns.completed, 'and others were not')
  const other = Object.keys(figures.turns).filter(
    (end) => end !== 'completed' && end !== 'incomplete client_disconnect'
  )
  t.strictSame(other, [], 'no turn ended in another way')
  t.ok(server.alive(), 'it never ended')
  t.strictSame(server.oddLines.slice(0, 5), [], 'and has no error to tell')
})
