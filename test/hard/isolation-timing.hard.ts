import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import type { RequestOptions } from '../helper/request.ts'
import { type Call, makeThings, type Names, startWorld, unmade } from '../isolation/world.ts'

const ROUNDS = 300

/** What may cost more for an id that somebody has than for one that nobody has. */
const ASKS: Record<string, (names: Names) => RequestOptions & { path: string }> = {
  'GET a conversation': ({ conversation }) => ({ path: `/v1/conversations/${conversation}` }),
  'GET its turns': ({ conversation }) => ({ path: `/v1/conversations/${conversation}/turns` }),
  'GET a completion': ({ completion }) => ({ path: `/v1/chat/completions/${completion}` }),
  'POST a chat in it': ({ conversation }) => ({
    path: '/v1/chat/completions',
    body: { model: 'm', messages: [{ role: 'user', content: 'x' }], conversation }
  })
}

for (const driver of Object.keys(DRIVERS)) {
  t.test(`${driver}: another session's id is answered as fast as one that never was`, async (t) => {
    const world = await startWorld(t, driver, 'header')
    const names = {
      foreign: await makeThings(await world.clientOf('other'), 'foreign'),
      unknown: unmade('unknown')
    }
    const asking = await world.clientOf('asking')
    for (const [name, ask] of Object.entries(ASKS)) {
      const took: Record<keyof typeof names, number[]> = { foreign: [], unknown: [] }
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const kind of ['foreign', 'unknown'] as const)
          took[kind].push(await timed(asking, ask(names[kind])))
      }
      const [foreign, unknown] = [median(took.foreign), median(took.unknown)]
      t.ok(foreign > 0 && unknown > 0, name)
      t.comment(`${driver}, ${name}: p50 ${foreign.toFixed(2)} ms foreign, ${unknown.toFixed(2)} ms unknown`)
    }
  })
}

async function timed(call: Call, { path, ...options }: RequestOptions & { path: string }): Promise<number> {
  const start = performance.now()
  const { status } = await call(path, options)
  if (status !== 404) throw new Error(`it is there: ${status}`)
  return performance.now() - start
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
