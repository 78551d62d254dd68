import type { Test } from 'tap'
import { startApp } from '../../helper/app.ts'
import { startUpstream } from '../../helper/upstream.ts'
import { behaviours } from '../behaviours/index.ts'
import { MINUTE } from '../behaviours/talking.ts'
import { createClock } from './clock.ts'
import type { Exchange } from './ledger.ts'
import { startModel } from './model.ts'
import { createPerson, type Person, type World } from './person.ts'
import { createRandom } from './random.ts'
import type { Filing } from './score.ts'

export interface Plan {
  seed: string
  persons: number
  chatsEach: number
  settings?: Record<string, string>
  /** What a person's requests say of who asks. */
  fieldsOf?(name: string, index: number): object
  headersOf?(name: string): Record<string, string>
}

/** Each run begins long after the one before, so that ids are made in the order of time. */
let start = Date.parse('2031-03-03T08:00:00Z')
const BETWEEN_RUNS_MS = 60 * 24 * 60 * MINUTE

/** Lets all persons chat with the service, each at their own times. Resolves to what they know, and what it filed. */
export async function simulate(t: Test, plan: Plan): Promise<{ exchanges: Exchange[]; filing: Filing }> {
  const { seed, fieldsOf = () => ({}), headersOf = () => ({}) } = plan
  const upstream = await startUpstream(t)
  const plans = startModel(upstream, seed)
  const running = await startApp(t, {
    DB_URL: 'sqlite::memory:',
    OPENAI_BASE_URL: upstream.url,
    ...plan.settings
  })
  start += BETWEEN_RUNS_MS
  const clock = createClock(start)
  const realNow = Date.now
  Date.now = clock.now
  t.teardown(() => {
    Date.now = realNow
  })

  const exchanges: Exchange[] = []
  const world: World = { running, clock, plans, exchanges }
  const names = Object.keys(behaviours)
  const persons = Array.from({ length: plan.persons }, (_, index) => {
    const name = `person-${index}`
    const random = createRandom(`${seed} ${name}`)
    const fields = fieldsOf(name, index)
    const person = createPerson(world, { name, random, fields, headers: headersOf(name) })
    // Each behaviour is somebody's as often as any other.
    const own = Array.from(
      { length: plan.chatsEach },
      (_, i) => names[(index * plan.chatsEach + i) % names.length] as string
    )
    return () => live(person, own)
  })
  await clock.run(persons)
  return { exchanges, filing: await filingOf(world) }
}

const DAY = 24 * 60 * MINUTE
/** All begin in one morning, so that many say the same at nearly the same time. */
const MORNING = 3 * 60 * MINUTE

/** One chat after the other, or several at a time. */
async function live(person: Person, names: string[]): Promise<void> {
  const { random, clock } = person
  await clock.pause(random.between(0, MORNING))
  const chats = names.map((name) => [name, person.apart(name)] as const)
  const chat = ([name, self]: (typeof chats)[number]) => behaviours[name]?.(self, name) ?? Promise.resolve()
  if (random.chance(0.3)) {
    await clock.together(
      chats.map((one) => async () => {
        await clock.pause(random.between(0, 20 * MINUTE))
        await chat(one)
      })
    )
    return
  }
  for (const one of chats) {
    await chat(one)
    await clock.pause(random.chance(0.5) ? random.between(MINUTE, 60 * MINUTE) : random.between(0, DAY))
  }
}

async function filingOf({ running, exchanges }: World): Promise<Filing> {
  const filing: Filing = { turns: new Map(), metadata: new Map() }
  for (const { filed, headers } of exchanges) {
    const id = filed.conversationId
    if (id === null || filing.turns.has(id)) continue
    const read = async (path: string) =>
      (await fetch(`${running.url}/v1/conversations/${path}`, { headers })).json()
    filing.turns.set(id, (await read(`${id}/turns?include=superseded&limit=100`)).data)
    filing.metadata.set(id, (await read(id)).metadata)
  }
  return filing
}
