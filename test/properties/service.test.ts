import fc from 'fast-check'
import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { holds } from '../helper/property.ts'
import { startService } from '../helper/service-client.ts'
import type { World } from '../helper/service-model.ts'
import { run } from '../helper/service-run.ts'
import { steps, tag } from '../helper/service-steps.ts'
import { WORDS } from '../helper/service-upstream.ts'
import { assertViews } from '../helper/service-views.ts'

const RUNS: Record<string, number> = { sqlite: 50, postgres: 15, filejson: 15 }
const look = fc.record({
  limit: fc.constantFrom(1, 2, 3, 7, 100),
  word: fc.constantFrom(...WORDS),
  model: fc.constantFrom('m1', 'm2'),
  tag
})

for (const [name, place] of Object.entries(DRIVERS)) {
  t.test(
    `${name}: whatever clients do, all views agree, and the upstream is sent what they say`,
    async (t) => {
      const client = await startService(t, await place(t))
      let count = 0
      const property = fc.asyncProperty(steps, look, async (all, how) => {
        count += 1
        const sessions = [`first-${count}`, `second-${count}`]
        const world: World = { conversations: [], turns: [] }
        const keys = new Map()
        for (const step of all) await run(client, world, keys, sessions, step)
        for (const [index, session] of sessions.entries())
          await assertViews(client, world, session, sessions[1 - index] ?? '', how)
      })
      await holds(t, property, RUNS[name] ?? 25)
    }
  )
}
