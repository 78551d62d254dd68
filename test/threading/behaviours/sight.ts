import type { Message } from '../../helper/talk.ts'
import type { Exchange } from '../simulation/ledger.ts'
import type { Talk } from '../simulation/person.ts'

/** A chat as its user sees it: what was asked and answered, one after the other. */
export interface Sight {
  talk: Talk
  /** How many messages a request has at most. */
  window: number
  seen: { asked: Message; answer: Message; exchange: Exchange }[]
}

/** What is sent before a question. */
export function history({ seen, window }: Sight): Message[] {
  return seen.flatMap(({ asked, answer }) => [asked, answer]).slice(1 - window)
}

/** Asks, and waits for the answer. */
export async function ask(sight: Sight, asked: Message, body: object = {}): Promise<Exchange> {
  const after = sight.seen.at(-1)?.exchange ?? null
  const exchange = await sight.talk.send([...history(sight), asked], { after, body })
  sight.seen.push({ asked, answer: exchange.answer, exchange })
  return exchange
}

const ALL = 1_000

export function sightOf(talk: Talk, window = ALL): Sight {
  return { talk, window, seen: [] }
}
