import type { SubjectName } from '../storage/subjects/subject.ts'
import { type RunContext, rotated, type Sample, type Scenario } from './scenario.ts'
import { type Database, openStores, type Stores, sampleOf } from './storage-scenario.ts'

interface Way {
  name: string
  database: Database
  subject: SubjectName
}

const WAYS: Way[] = [
  { name: 'sqlite', database: 'sqlite', subject: 'store' },
  { name: 'better-sqlite3, grouped', database: 'sqlite', subject: 'bare-sqlite-grouped' },
  { name: 'better-sqlite3, alone', database: 'sqlite', subject: 'bare-sqlite' },
  { name: 'older design, SQLite', database: 'sqlite', subject: 'older-sqlite' },
  { name: 'postgres', database: 'postgres', subject: 'store' },
  { name: 'pg, two named statements', database: 'postgres', subject: 'bare-pg' },
  { name: 'older design, Postgres', database: 'postgres', subject: 'older-pg' },
  { name: 'filejson', database: 'filejson', subject: 'store' }
]

/** Runs a job for each of the ways, in turns. */
async function runWays(context: RunContext, id: string, job: string, ways: Way[], durationMs: number) {
  const databases = [...new Set(ways.map(({ database }) => database))]
  const stores: Stores = await openStores(databases, context)
  const samples: Sample[] = []
  try {
    for (let round = 0; round < context.rounds; round += 1) {
      for (const { name, database, subject } of rotated(ways, round)) {
        context.step(`${id} ${name}, round ${round + 1}`)
        if (!stores.has(database)) continue
        const options = async () => ({
          url: await stores.create(database),
          subject,
          durationMs: context.quick ? durationMs / 3 : durationMs
        })
        samples.push(await sampleOf({ scenario: id, target: name, round }, job, options))
      }
    }
  } finally {
    await stores.stop()
  }
  return samples
}

export const drivers: Scenario = {
  id: 'S6t',
  title: 'Turns a second of each driver, 64 in flight',
  about:
    'Write 1 and write 2 of a turn, 240 characters in and 940 out, ten turns a conversation, each durable before the next. The bare ones do one INSERT and one UPDATE on the same table, and index no words; in the older design a turn is twelve transactions.',
  columns: [
    { figure: 'turnsPerSecond', title: 'turns/s' },
    { figure: 'mainCpuUs', title: 'main-thread CPU µs per turn' }
  ],
  steps: ({ rounds }) => rounds * WAYS.length,
  run: (context) => runWays(context, 'S6t', 'turns', WAYS, 2_000)
}

const OFFERED = WAYS.filter(({ name }) => ['sqlite', 'postgres', 'better-sqlite3, grouped'].includes(name))

export const offeredTurns: Scenario = {
  id: 'S6d',
  title: 'Event-loop delay at 2,000 turns a second',
  about: 'As many are offered, evenly, whether or not the driver keeps up.',
  columns: [
    { figure: 'idleDelayP99', title: 'idle p99 ms' },
    { figure: 'delayP99', title: 'busy p99 ms' },
    { figure: 'delayOverIdle', title: 'over idle ms' },
    { figure: 'kept', title: 'share kept up with' }
  ],
  steps: ({ rounds }) => rounds * OFFERED.length,
  run: (context) => runWays(context, 'S6d', 'offered', OFFERED, 2_000)
}
