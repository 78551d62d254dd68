import type { Message } from '../../helper/talk.ts'
import type { Person } from '../simulation/person.ts'
import { ask, type Sight, sightOf } from './sight.ts'
import { type Behaviour, question, think, user } from './talking.ts'

/** Goes back to before the exchange at `index`; what it and those after it said is replaced by what is asked then. */
async function askInstead(sight: Sight, index: number, asked: Message): Promise<void> {
  const replaced = sight.seen.splice(index)
  const exchange = await ask(sight, asked)
  for (const { exchange: old } of replaced) old.replacedBy = exchange
}

const WINDOW = 6

/** Asks one question after the other; after each answer comes what `each` does. */
async function chatting(
  person: Person,
  name: string,
  each: (sight: Sight) => Promise<void>,
  [fewest, most]: [number, number] = [3, 6],
  window?: number
): Promise<void> {
  const sight = sightOf(person.chat(name), window)
  const count = person.random.between(fewest, most)
  for (let i = 0; i < count; i += 1) {
    if (i > 0) await think(person)
    await ask(sight, user(question(person.random, i === 0)), { stream: person.random.chance(0.3) })
    await each(sight)
  }
}

/** The last answer once more, now and then several times. */
const regenerating: Behaviour = (person, name) =>
  chatting(person, name, async (sight) => {
    while (person.random.chance(0.35)) {
      await person.clock.pause(person.random.between(3_000, 60_000))
      const index = sight.seen.length - 1
      await askInstead(sight, index, sight.seen[index]?.asked as Message)
    }
  })

/** Regenerates and edits, and sends no more than the newest messages. */
const correctingInWindow: Behaviour = (person, name) =>
  chatting(
    person,
    name,
    async (sight) => {
      if (!person.random.chance(0.4)) return
      await person.clock.pause(person.random.between(3_000, 60_000))
      const index = sight.seen.length - 1
      const asked = person.random.chance(0.5) ? user(question(person.random, true)) : sight.seen[index]?.asked
      await askInstead(sight, index, asked as Message)
    },
    [6, 9],
    WINDOW
  )

/** A question of before in other words, with all that came after it gone. */
const editing: Behaviour = (person, name) =>
  chatting(person, name, async (sight) => {
    if (!person.random.chance(0.4)) return
    await person.clock.pause(person.random.between(10_000, 200_000))
    const index = person.random.between(0, sight.seen.length - 1)
    await askInstead(sight, index, user(question(person.random, true)))
  })

/** Clients in which something is asked again. */
export const corrections: Record<string, Behaviour> = {
  regenerate: regenerating,
  edit: editing,
  'corrections in a window': correctingInWindow
}
