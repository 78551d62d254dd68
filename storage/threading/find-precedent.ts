import type { FoundMark, MarkedTurn, Store } from '../contract.ts'
import { choose, latest } from './choose.ts'
import { agreeing, begunWith, followed, isTelling, type Place } from './evidence.ts'

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
  /** The newest seq of its conversation. */
  lastSeq: number
  /** The place in the request's dialogue up to which the conversation has it. */
  place: number
  match: 'exact' | 'anchor'
}

/** The turn that a request goes on from; of several that it may as well, one; and null where there is none. */
export type Finding = { precedent: Precedent } | { either: FoundMark } | null

/** How many answers are looked for in one query, and how many at most. */
const TIPS = 6
const MAX_TIPS = 30
/** How many questions without an answer are looked for. */
const UNANSWERED = 2

/**
 * Looks for the request's last answer, in this order: as the end of the same dialogue, as the beginning of an answer in
 * the same dialogue, by itself where the answers before it agree, and then for earlier ones.
 */
export async function findPrecedent(store: Store, sought: Sought): Promise<Finding> {
  const { dialogue, answers, digests, marker } = sought
  const place = answers.at(-1)
  const last = place === undefined ? undefined : dialogue[place]
  if (place === undefined || last === undefined) return null
  const tipAt = (index: number): string => marker.tip(digests[index + 1] ?? '')
  const recent = answers.slice(-TIPS).reverse()
  const before = marker.asked(digests[place] ?? '')
  const whole = marker.asked(digests.at(-1) ?? '')
  const unanswered = questionsAfter(place, sought)
  const found = await look(store, sought, {
    tips: recent.map(tipAt),
    asked: [before, whole, ...unanswered.map(({ mark }) => mark)],
    answer: isTelling(answers.map((index) => dialogue[index] ?? last)) ? marker.answer(last) : null
  })
  const chosen = (turns: FoundMark[], at: number, match: 'exact' | 'anchor'): Finding => {
    if (turns.length === 0) return null
    const again = found.filter(({ marks }) => marks.asked === whole)
    const turn = choose(turns, { again, isOnePersons: sought.isOnePersons && match === 'exact' })
    if (turn) return { precedent: { turn, lastSeq: turn.lastSeq, place: at, match } }
    const either = latest(turns)
    return either && { either }
  }

  const exact = chosen(withTip(found, tipAt(place)), place, 'exact')
  if (exact) return forgotten(exact, found, unanswered) ?? exact
  const stopped = found.filter(({ marks }) => marks.asked === before)
  const begun = chosen(await begunWith(store, stopped, last, sought), place, 'exact')
  if (begun) return begun
  const answer = marker.answer(last)
  const anchors = found.filter(({ marks }) => marks.answer === answer)
  const anchored = chosen(await agreeing(store, anchors, place, sought), place, 'anchor')
  if (anchored) return anchored

  for (let end = answers.length; end > Math.max(0, answers.length - MAX_TIPS); end -= TIPS) {
    const some = answers.slice(Math.max(0, end - TIPS), end).reverse()
    const isFirst = end === answers.length
    const there = isFirst
      ? found
      : await look(store, sought, { tips: some.map(tipAt), asked: [], answer: null })
    for (const index of some) {
      const edited = index === place ? null : chosen(withTip(there, tipAt(index)), index, 'exact')
      if (edited) return await followedOn(store, edited, sought)
    }
  }
  return null
}

interface Unanswered {
  place: number
  /** Of the dialogue up to it. */
  mark: string
}

/** What was said after the last answer, but for what is asked now: the last of it first. */
function questionsAfter(last: number, { dialogue, digests, marker }: Sought): Unanswered[] {
  const places = [...dialogue.keys()]
    .slice(last + 1, -1)
    .slice(-UNANSWERED)
    .reverse()
  return places.map((place) => ({ place, mark: marker.asked(digests[place + 1] ?? '') }))
}

/** The turn of a question behind the precedent, whose answer was stopped and not kept by the client. */
function forgotten(exact: Finding, found: FoundMark[], unanswered: Unanswered[]): Finding {
  if (!exact || !('precedent' in exact)) return null
  const { turn: before } = exact.precedent
  for (const { place, mark } of unanswered) {
    const turn = found.find(
      ({ conversationId, seq, superseded, status, marks }) =>
        conversationId === before.conversationId &&
        seq > before.seq &&
        !superseded &&
        status === 'incomplete' &&
        marks.asked === mark &&
        marks.answer !== null
    )
    if (turn) return { precedent: { ...exact.precedent, turn, place } }
  }
  return null
}

/** An earlier answer, or as far as the same answers follow it where the questions differ. */
async function followedOn(store: Store, finding: Finding, sought: Sought): Promise<Finding> {
  if (!finding || !('precedent' in finding)) return finding
  const { precedent } = finding
  const reached = await followed(store, precedent.turn, precedent.place, sought)
  const match = reached.place === precedent.place ? 'exact' : 'anchor'
  return { precedent: { ...precedent, ...reached, match } }
}

async function look(
  store: Store,
  { sessionId, conversationId, without }: Sought,
  marks: { tips: string[]; asked: string[]; answer: string | null }
): Promise<FoundMark[]> {
  const found = await store.findMarks(sessionId, { ...marks, conversationId })
  return found.filter((turn) => !without.has(turn.conversationId))
}

function withTip(found: FoundMark[], tip: string): FoundMark[] {
  return found.filter(({ marks }) => marks.tip === tip)
}
