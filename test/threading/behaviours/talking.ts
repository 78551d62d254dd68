import { assistant, type Message, user } from '../../helper/talk.ts'
import type { Exchange } from '../simulation/ledger.ts'
import type { Person, Talk } from '../simulation/person.ts'
import { type Random, sentence } from '../simulation/random.ts'

/** One chat, or what belongs together, from its beginning to its end. */
export type Behaviour = (person: Person, name: string) => Promise<void>

/** How a client keeps its chat and sends it again. */
export interface Habit {
  /** What is sent for a question, and what is kept of that. */
  ask?(question: string): { sent: Message[]; kept: Message[] }
  /** What is kept of an answer. */
  keep?(answer: Message, exchange: Exchange): Message
  /** What is sent of what was kept. */
  resend?(kept: Message[]): Message[]
  /** The other fields of a request. */
  body?(count: number): object
}

export const MINUTE = 60_000

/** From one message of a chat to the next: mostly soon, sometimes when it is remembered. */
export async function think({ random, clock }: Person): Promise<void> {
  await clock.pause(
    random.chance(0.05) ? random.between(1, 20) * 60 * MINUTE : random.between(15_000, 6 * MINUTE)
  )
}

const USUAL = ['Go on.', 'Why?', 'Thanks!', 'Can you say that again, but shorter?', 'ok']

export function question(random: Random, isFirst = false): string {
  return !isFirst && random.chance(0.15) ? random.pick(USUAL) : sentence(random).replace('.', '?')
}

/** A chat of a client that has its habit from `makeHabit`; each chat of it gets one. */
export function talking(
  makeHabit: (random: Random) => Habit,
  [fewest, most]: [number, number] = [2, 7]
): Behaviour {
  return async (person, name) => {
    const habit = makeHabit(person.random)
    const talk = person.chat(name)
    await goOn(person, talk, habit, person.random.between(fewest, most))
  }
}

/** Asks `count` questions one after the other. Resolves to what the client has kept then. */
export async function goOn(
  person: Person,
  talk: Talk,
  { ask, keep = (answer) => answer, resend = (kept) => kept, body }: Habit,
  count: number,
  { kept = [], after = null }: { kept?: Message[]; after?: Exchange | null } = {}
): Promise<{ kept: Message[]; after: Exchange | null }> {
  const { random } = person
  let history = kept
  let last = after
  for (let i = 0; i < count; i += 1) {
    if (last) await think(person)
    const text = question(random, last === null)
    const message = ask?.(text) ?? { sent: [user(text)], kept: [user(text)] }
    const messages = [...resend(history), ...message.sent]
    last = await talk.send(messages, { after: last, body: { stream: random.chance(0.3), ...body?.(i) } })
    history = [...history, ...message.kept, keep(last.answer, last)]
  }
  return { kept: history, after: last }
}

/** The words of a message. */
export function wordsOf({ content }: Message): string {
  return typeof content === 'string' ? content : ''
}

export { assistant, user }
