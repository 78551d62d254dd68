import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { tempFolder } from '../helper/app.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { startServer } from '../helper/server-process.ts'
import { startUpstream } from '../helper/upstream.ts'
import {
  allConversations,
  ask,
  createConversation,
  disorder,
  faultOf,
  randomFrom,
  type Seen,
  slowAnswer,
  turnsAfter
} from './asking.ts'

// `kill -9` at random points under 20 streams, again and again, on the same store.
const ROUNDS = Number(process.env.ROUNDS ?? 200)
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000))
/** The kill comes between 0 and this after the first questions; a process that has just started is slow. */
const MAX_KILL_MS = 800
const CLIENTS = 20
/** Clients that start a conversation with each question. The others share conversations, two in each. */
const STARTERS = 4
/** After so many rounds the shared conversations are left for new ones. */
const ROUNDS_PER_CONVERSATION = 20

t.setTimeout(1_100_000)
t.jobs = Object.keys(DRIVERS).length // a round mostly waits

interface Shared {
  id: string
  /** The newest turn that has been checked. */
  checked: number
}

async function run(t: Test, dbUrl: string, random: () => number) {
  const upstream = await startUpstream(t, async (res, call, req) => {
    upstream.calls.length = 0 // there will be many
    await slowAnswer(res, call, req)
  })
  const settings = {
    DB_URL: dbUrl,
    OPENAI_BASE_URL: upstream.url,
    INSTANCE_ID: 'the-same-after-a-restart',
    LOG_LEVEL: 'error',
    NODE_COMPILE_CACHE: path.join(tempFolder(t), 'cache')
  }
  const counts = { rounds: 0, acknowledged: 0, cut: 0, refused: 0, turns: 0, conversations: 0 }
  const faults: string[] = []
  const start = async () => {
    const server = await startServer(t, settings)
    if (server.output.stdout) faults.push(server.output.stdout)
    return server
  }
  let server = await start()
  server.kill('SIGTERM') // unlike a kill, this lets Node fill its cache
  await server.exited
  server = await start()
  let shared: Shared[] = []
  const acknowledged: Seen[] = []

  for (let round = 0; round < ROUNDS; round++) {
    if (round % ROUNDS_PER_CONVERSATION === 0) {
      const ids = Array.from({ length: (CLIENTS - STARTERS) / 2 }, () => createConversation(server.url))
      shared = (await Promise.all(ids)).map((id) => ({ id, checked: 0 }))
    }
    const { url } = server
    let killed = false
    const seen: Seen[] = []
    const client = async (index: number): Promise<void> => {
      for (let n = 0; !killed; n++) {
        const conversation = index < STARTERS ? undefined : shared[index % shared.length]?.id
        seen.push(await ask(url, `round ${round} client ${index} question ${n}`, conversation))
      }
    }
    const clients = Array.from({ length: CLIENTS }, (_, index) => client(index))
    await sleep(random() * MAX_KILL_MS)
    server.kill('SIGKILL')
    killed = true
    await Promise.all(clients)
    const { signal } = await server.exited
    if (signal !== 'SIGKILL') throw new Error(`it ended by itself: ${server.output.stderr}`)
    if (server.output.stdout) faults.push(server.output.stdout)
    server = await start()

    const kept = new Map<string, Awaited<ReturnType<typeof turnsAfter>>[number]>()
    for (const conversation of shared) {
      const turns = await turnsAfter(server.url, conversation.id, conversation.checked)
      faults.push(...disorder(turns, conversation.checked + 1))
      conversation.checked = turns.at(-1)?.seq ?? conversation.checked
      for (const turn of turns) kept.set(turn.id, turn)
    }
    for (const one of seen) {
      const isNew = one.turnId !== '' && !kept.has(one.turnId)
      if (isNew)
        for (const turn of await turnsAfter(server.url, one.conversationId, 0)) kept.set(turn.id, turn)
      const fault = faultOf(one, kept.get(one.turnId))
      if (fault) faults.push(fault)
      if (one.done) acknowledged.push(one)
      counts[one.done ? 'acknowledged' : one.status === 200 ? 'cut' : 'refused'] += 1
    }
    counts.rounds += 1
  }

  const kept = new Map<string, Awaited<ReturnType<typeof turnsAfter>>[number]>()
  for (const { id, last_seq } of await allConversations(server.url)) {
    const turns = await turnsAfter(server.url, id, 0)
    faults.push(...disorder(turns, 1))
    if (turns.length !== last_seq) faults.push(`${id} counts ${last_seq} and has ${turns.length}`)
    for (const turn of turns) kept.set(turn.id, turn)
    counts.conversations += 1
  }
  counts.turns = kept.size
  for (const one of acknowledged) {
    const fault = faultOf(one, kept.get(one.turnId))
    if (fault) faults.push(`at the end: ${fault}`)
  }
  return { counts, faults }
}

/** Files of a folder that are not as they should be after a start. */
function tornFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    if (name === '.lock' || name === '.lock-journal' || name === '.secret') return []
    if (!/^(conv_[0-9a-f]{32}|\.owners)\.json$/.test(name)) return [`left behind: ${name}`]
    try {
      JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
      return []
    } catch {
      return [`torn: ${name}`]
    }
  })
}

for (const [index, [name, makePlace]] of Object.entries(DRIVERS).entries()) {
  t.test(`${name}: kill -9 under load loses nothing that was acknowledged`, { buffered: true }, async (t) => {
    const startedAt = performance.now()
    const dbUrl = await makePlace(t)
    const { counts, faults } = await run(t, dbUrl, randomFrom(SEED + index))
    if (name === 'filejson') faults.push(...tornFiles(dbUrl.slice('filejson:'.length)))
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    process.stderr.write(
      `${name}: seed ${SEED}, ${seconds} s, ${JSON.stringify({ ...counts, faults: faults.length })}\n`
    )
    t.equal(counts.rounds, ROUNDS)
    t.ok(counts.acknowledged > 0 && counts.cut > 0, 'the kills came amid answers')
    t.strictSame(faults.slice(0, 10), [])
  })
}
