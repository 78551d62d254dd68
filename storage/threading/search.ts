import type { FoundMark, MarkedTurn, MarksSought, Store } from '../contract.ts'
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
  /** The place in the request's dialogue up to which the conversation has it; `BEGINNING` = it has nothing of it. */
  place: number
  match: 'exact' | 'anchor'
}

export const BEGINNING = -1

/** The turn that a request goes on from; of several that it may as well, one; and null where there is none. */
export type Finding = { precedent: Precedent } | { either: FoundMark } | null

/** How many questions without an answer are looked for. */
const UNANSWERED = 2

/** A request that has an answer in it, and the ways to look for that. */
export interface Search {
  store: Store
  sought: Sought
  /** The request's last answer and its place. */
  last: Said
  place: number
  /** The mark of the dialogue up to an answer and with it. */
  tipAt(place: number): string
  /** The mark of the dialogue before what stands there. */
  askedBefore(place: number): string
  /** What was said after the last answer, but for what is asked now: the last of it first. */
  unanswered: number[]
  look(marks: Partial<Pick<MarksSought, 'tips' | 'asked' | 'answer'>>): Promise<FoundMark[]>
  /** The one of these turns that the request goes on from, as far as that can be told. */
  chosen(turns: FoundMark[], place: number, match: 'exact' | 'anchor'): Promise<Finding>
}

/** Null where the request has no answer in it. */
export function startSearch(store: Store, sought: Sought): Search | null {
  const { sessionId, conversationId, without, dialogue, answers, digests, marker } = sought
  const place = answers.at(-1)
  const last = place === undefined ? undefined : dialogue[place]
  if (place === undefined || last === undefined) return null
  const askedBefore = (index: number): string => marker.asked(digests[index] ?? '')

  const look: Search['look'] = async ({ tips = [], asked = [], answer = null }) => {
    const found = await store.findMarks(sessionId, { tips, asked, answer, conversationId })
    return found.filter((turn) => !without.has(turn.conversationId))
  }

  return {
    store,
    sought,
    last,
    place,
    tipAt: (index) => marker.tip(digests[index + 1] ?? ''),
    askedBefore,
    unanswered: questionsAfter(place, dialogue),
    look,
    async chosen(turns, at, match) {
      if (turns.length === 0) return null
      const again = turns.length > 1 ? await look({ asked: [askedBefore(dialogue.length)] }) : []
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
