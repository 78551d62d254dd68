import type { FoundMark, MarkedTurn, Store } from '../contract.ts'
import type { Said } from './canonical.ts'
import { choose, latest } from './choose.ts'
import type { Place } from './evidence.ts'

/** A request as it is looked for. */
export interface Sought extends Place {
  /** Of each beginning of the dialogue. */
  digests: string[]
  /** Only in this conversation. */
  conversationId?: string | undefined
  /** In none of these. */
  without: ReadonlySet<string>
  /** Whether all that can be found is one person's. */
  isOnePersons: boolean
}

/** The turn that a request goes on from. */
export interface Precedent {
  turn: MarkedTurn
  /** The turn that the request's own follows: that one, or the one before where it takes its place. */
  parentSeq: number
  /** The newest seq of its conversation. */
  lastSeq: number
  /** The place in the request's dialogue up to which the conversation has it. */
  place: number
  match: 'exact' | 'anchor'
}

/** The turn that a request goes on from; of several that it may as well, one; and null where there is none. */
export type Finding = { precedent: Precedent } | { either: FoundMark } | null

/** How many answers are looked for in one query. */
export const TIPS = 6
/** How many questions without an answer are looked for. */
const UNANSWERED = 2

/** What the first query has found, and the ways to look on. */
export interface Search {
  store: Store
  sought: Sought
  found: FoundMark[]
  /** The request's last answer and its place. */
  last: Said
  place: number
  /** The mark of the dialogue up to an answer and with it. */
  tipAt(place: number): string
  /** The mark of the dialogue before what stands there. */
  askedBefore(place: number): string
  /** What was said after the last answer, but for what is asked now: the last of it first. */
  unanswered: number[]
  look(marks: { tips?: string[]; answer?: string }): Promise<FoundMark[]>
  /** The one of these turns that the request goes on from, as far as that can be told. */
  chosen(turns: FoundMark[], place: number, match: 'exact' | 'anchor'): Finding
}

/** Asks the store for what a request may go on from; null where the request has no answer in it. */
export async function openSearch(store: Store, sought: Sought): Promise<Search | null> {
  const { sessionId, conversationId, without, dialogue, answers, digests, marker } = sought
  const place = answers.at(-1)
  const last = place === undefined ? undefined : dialogue[place]
  if (place === undefined || last === undefined) return null
  const tipAt = (index: number): string => marker.tip(digests[index + 1] ?? '')
  const askedBefore = (index: number): string => marker.asked(digests[index] ?? '')
  const whole = askedBefore(dialogue.length)
  const unanswered = questionsAfter(place, dialogue)

  async function find(tips: string[], asked: string[], answer: string | null): Promise<FoundMark[]> {
    const found = await store.findMarks(sessionId, { tips, asked, answer, conversationId })
    return found.filter((turn) => !without.has(turn.conversationId))
  }

  const questions = [askedBefore(place), whole, ...unanswered.map((index) => askedBefore(index + 1))]
  const found = await find(answers.slice(-TIPS).map(tipAt), questions, marker.answer(last))
  const again = found.filter(({ marks }) => marks.asked === whole)
  return {
    store,
    sought,
    found,
    last,
    place,
    tipAt,
    askedBefore,
    unanswered,
    look: ({ tips = [], answer = null as string | null }) => find(tips, [], answer),
    chosen(turns, at, match) {
      if (turns.length === 0) return null
      const turn = choose(turns, { again, isOnePersons: sought.isOnePersons && match === 'exact' })
      if (turn) return { precedent: { turn, parentSeq: turn.seq, lastSeq: turn.lastSeq, place: at, match } }
      const either = latest(turns)
      return either && { either }
    }
  }
}

function questionsAfter(last: number, dialogue: Said[]): number[] {
  if (dialogue.at(-1)?.by === 'assistant') return [] // it brings what it has of the answer
  const places = [...dialogue.keys()].slice(last + 1, -1)
  return places.slice(-UNANSWERED).reverse()
}

export function withTip(found: FoundMark[], tip: string): FoundMark[] {
  return found.filter(({ marks }) => marks.tip === tip)
}

/** The finding with its precedent changed, where it has one. */
export async function changed(
  finding: Finding,
  change: (precedent: Precedent) => Precedent | Promise<Precedent>
): Promise<Finding> {
  return finding && 'precedent' in finding ? { precedent: await change(finding.precedent) } : finding
}
