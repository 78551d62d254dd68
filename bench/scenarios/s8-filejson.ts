import { rotated, type Sample, type Scenario } from './scenario.ts'
import { openStores, sampleOf } from './storage-scenario.ts'

const SIZES = [10, 100, 1_000]

export const filejsonTurns: Scenario = {
  id: 'S8',
  title: 'filejson: a turn added to 10, 100 and 1,000',
  about: 'Both writes of one turn, one at a time, each in a conversation of its own that was just read.',
  columns: [
    { figure: 'turnMs', title: 'p50 ms' },
    { figure: 'turnP99', title: 'p99 ms' },
    { figure: 'mainCpuUs', title: 'main-thread CPU µs' }
  ],
  steps: ({ rounds }) => rounds * SIZES.length,

  async run(context) {
    const stores = await openStores(['filejson'], context)
    const samples: Sample[] = []
    try {
      for (let round = 0; round < context.rounds; round += 1) {
        for (const turns of rotated(SIZES, round)) {
          context.step(`S8 ${turns} turns, round ${round + 1}`)
          const place = { scenario: 'S8', target: `${turns} turns`, round }
          samples.push(
            await sampleOf(place, 'append', async () => ({ url: await stores.create('filejson'), turns }))
          )
        }
      }
    } finally {
      await stores.stop()
    }
    return samples
  }
}
