import http from 'node:http'
import t, { type Test } from 'tap'
import { tempFolder } from '../helper/app.ts'
import { startUpstream } from '../helper/upstream.ts'
import { type RouteOfServer, startWatched } from '../helper/watched-server.ts'
import { randomFrom } from './asking.ts'
import { sendMalformed } from './fuzz/malformed.ts'
import { diceOf } from './fuzz/odd.ts'
import { type FuzzRequest, randomRequest, SESSIONS } from './fuzz/requests.ts'
import { send } from './fuzz/send.ts'
import { wellBehaved } from './fuzz/well-behaved.ts'

// Requests of every shape to every endpoint: no 5xx, no exit, and a log that can be read.
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 100_000)
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000))
const WITHOUT_PROTO = Math.min(REQUESTS, 5_000)
const CONCURRENCY = 32
/** One request in so many is none, on a socket of its own. */
const MALFORMED_ONE_IN = 25
/** Ids to ask for again; the oldest are forgotten. */
const KNOWN_IDS = 400
const MAX_HEAP_BYTES = 134_217_728

t.setTimeout(600_000)

interface Outcome {
  requests: number
  malformed: number
  statuses: Record<string, number>
  faults: string[]
}

async function fuzz(t: Test, requests: number, flags: string[]) {
  const upstream = await startUpstream(
    t,
    wellBehaved(() => upstream)
  )
  const settings = {
    DB_URL: `sqlite:${tempFolder(t)}/fuzz.db`,
    OPENAI_BASE_URL: upstream.url,
    AUTH: 'header',
    ALLOWED_ORIGIN: 'http://localhost:1',
    LOG_LEVEL: 'trace',
    MAX_REQUEST_BYTES: '262144'
  }
  const server = await startWatched(t, settings, flags)
  const routes = await server.ask('routes')
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  t.teardown(() => agent.destroy())
  const outcome: Outcome = { requests: 0, malformed: 0, statuses: {}, faults: [] }
  const dice = diceOf(randomFrom(SEED))
  const ids: string[] = []
  const asked = new Map<RouteOfServer, number>()

  const count = (status: number, asked: () => string) => {
    outcome.statuses[status] = (outcome.statuses[status] ?? 0) + 1
    if (status >= 500 && outcome.faults.length < 50) outcome.faults.push(`${status}: ${asked()}`)
  }
  const ask = async (request: FuzzRequest): Promise<void> => {
    const described = () => JSON.stringify({ ...request, text: request.text?.slice(0, 400) })
    try {
      const { status, headers, text } = await send(agent, server.url, request)
      count(status, () => `${described()} -> ${text.slice(0, 300)}`)
      const named = headers['x-conversation-id']
      if (typeof named === 'string') ids.push(named, named)
      for (const [, id] of text.slice(0, 2_000).matchAll(/"id":"([a-z]+[-_]\w{1,80})"/g)) ids.push(id ?? '')
      if (ids.length > KNOWN_IDS) ids.splice(0, ids.length - KNOWN_IDS)
    } catch (err) {
      count(0, () => '')
      // A body that is refused before it was read may meet a closed connection; a dead server fails the test below.
      const { code } = err as NodeJS.ErrnoException
      if (code !== 'ECONNRESET' && code !== 'EPIPE') outcome.faults.push(`${err}: ${described()}`)
    }
  }
  const client = async (): Promise<void> => {
    while (outcome.requests < requests && server.alive()) {
      outcome.requests += 1
      if (dice.once(MALFORMED_ONE_IN)) {
        outcome.malformed += 1
        const { bytes, statuses } = await sendMalformed(dice, server.url)
        for (const status of statuses) count(status, () => JSON.stringify(bytes.slice(0, 300)))
        continue
      }
      const route = dice.of(routes)
      asked.set(route, (asked.get(route) ?? 0) + 1)
      await ask(randomRequest(dice, route, ids))
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, client))
  const neverAsked = routes.filter((route) => !asked.has(route)).map(({ method, url }) => `${method} ${url}`)

  t.ok(server.alive(), 'it never ended')
  const headers = { 'x-session-id': SESSIONS[0] }
  t.equal((await fetch(`${server.url}/v1/conversations`, { headers })).status, 200, 'and it serves on')
  t.equal(await server.ask('polluted'), false, 'no prototype was polluted')
  const { heapUsed, rss } = await server.ask('memory')
  server.kill('SIGTERM')
  t.match(await server.exited, { code: 0 })
  return { outcome, neverAsked, routes: routes.length, server, heapUsed, rss }
}

const RUNS: { title: string; requests: number; flags: string[] }[] = [
  { title: 'requests of every shape', requests: REQUESTS, flags: [] },
  { title: 'the same without __proto__', requests: WITHOUT_PROTO, flags: ['--disable-proto=delete'] }
]

for (const { title, requests, flags } of RUNS) {
  t.test(`${title}: no 5xx, no exit, no line of the log that cannot be read`, async (t) => {
    const startedAt = performance.now()
    const { outcome, neverAsked, routes, server, heapUsed, rss } = await fuzz(t, requests, flags)
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    const { faults, ...figures } = outcome
    const mib = (bytes: number) => Math.round(bytes / 1_048_576)
    const printed = { ...figures, routes, lines: server.lines(), heapMiB: mib(heapUsed), rssMiB: mib(rss) }
    process.stderr.write(
      `fuzz: seed ${SEED}, ${seconds} s, ${JSON.stringify({ ...printed, faults: faults.length })}\n`
    )
    t.equal(outcome.requests, requests)
    t.strictSame(faults.slice(0, 10), [])
    t.strictSame(
      server.oddLines.slice(0, 5),
      [],
      'every line of the log is one JSON object, and none an error'
    )
    t.ok(server.lines() > requests / 2, 'there is a log')
    t.ok((outcome.statuses[200] ?? 0) > requests / 10, 'among them are requests that are served')
    t.ok((outcome.statuses[400] ?? 0) > requests / 10, 'and such that are refused')
    if (requests >= routes * 50) t.strictSame(neverAsked, [], 'every route was asked')
    t.ok(heapUsed < MAX_HEAP_BYTES, 'the heap is small again')
  })
}
