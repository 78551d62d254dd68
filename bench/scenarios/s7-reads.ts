import { runJob } from '../storage/job.ts'
import { READS } from '../storage/jobs/reads.ts'
import { type RunContext, rotated, type Sample, type Scenario } from './scenario.ts'
import { type Database, openStores, sampleOf } from './storage-scenario.ts'

const DATABASES: Database[] = ['sqlite', 'postgres']
export const SMALL = '1,000'
export const LARGE = '1,000,000'

const sizes = ({ quick }: RunContext) => [
  { name: SMALL, conversations: 1_000, turns: 1_000 },
  { name: LARGE, conversations: quick ? 100_000 : 1_000_000, turns: quick ? 10_000 : 100_000 }
]

export const reads: Scenario = {
  id: 'S7',
  title: 'Reads at 1,000 and at 1,000,000 conversations, median µs',
  about:
    'Of one session that has them all, one of them with as many turns as a thousandth or a tenth of that; read through the driver, at places that change. With --quick the large one has 100,000.',
  columns: Object.keys(READS).map((name) => ({ figure: name, title: name })),
  steps: ({ rounds }) => DATABASES.length * 2 * (rounds + 1),

  async run(context) {
    const stores = await openStores(DATABASES, context)
    const samples: Sample[] = []
    try {
      for (const database of DATABASES.filter((name) => stores.has(name))) {
        const seeded = []
        for (const size of sizes(context)) {
          context.step(`S7 seeds ${database} with ${size.conversations.toLocaleString('en-US')}`)
          const options = { ...size, url: await stores.create(database) }
          const { figures } = await runJob('seed', options)
          context.note(
            `Seeding ${database} with ${size.conversations} conversations took ${figures.seconds?.toFixed(1)} s.`
          )
          seeded.push({ target: `${database}, ${size.name}`, options })
        }
        for (let round = 0; round < context.rounds; round += 1) {
          for (const { target, options } of rotated(seeded, round)) {
            context.step(`S7 ${target}, round ${round + 1}`)
            samples.push(await sampleOf({ scenario: 'S7', target, round }, 'reads', options))
          }
        }
      }
    } finally {
      await stores.stop()
    }
    return samples
  }
}
