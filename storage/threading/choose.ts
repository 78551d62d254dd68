import type { FoundMark } from '../contract.ts'

/** How much later a conversation must have been used than another to be the one that is meant. */
const CLEARLY_LATER_MS = 600_000

export interface Choice {
  /** Turns that sent exactly what the request sends. */
  again: FoundMark[]
  /** Whether all of them are one person's, who alone can have said what they say. */
  isOnePersons: boolean
}

/** Which of several turns a request goes on from: that one, or null where two are as good as each other. */
export function choose(found: FoundMark[], { again, isOnePersons }: Choice): FoundMark | null {
  const candidates = newestOfEach(found)
  if (candidates.length < 2) return candidates[0] ?? null
  const heads = candidates.filter(({ seq, lastSeq }) => seq === lastSeq)
  const repeated = candidates.filter((turn) => again.some((other) => follows(other, turn)))
  const [onlyRepeated] = repeated
  // A chat that is newer than the one with this very request has only come to the same point.
  const isRepeated =
    onlyRepeated && repeated.length === 1 && heads.every((head) => head.activeAt < onlyRepeated.activeAt)
  if (isRepeated) return onlyRepeated
  const [first, second] = (heads.length > 0 ? heads : candidates).toSorted((a, b) => b.activeAt - a.activeAt)
  if (!first || !second) return first ?? null
  if (first.activeAt - second.activeAt >= CLEARLY_LATER_MS) return first
  // Nobody has gone on in either and both say the same: whichever it is, each chat ends up with what is its own.
  return isOnePersons && heads.length > 0 ? first : null
}

/** The one in which somebody has last been active. */
export function latest(found: FoundMark[]): FoundMark | null {
  return found.toSorted((a, b) => b.activeAt - a.activeAt)[0] ?? null
}

/** One that is being answered is not asked again: its twin runs beside it. */
function follows(turn: FoundMark, parent: FoundMark): boolean {
  const isBehind = turn.conversationId === parent.conversationId && turn.parentSeq === parent.seq
  return isBehind && turn.status !== 'in_progress'
}

/** Of each conversation one turn: one that counts before one that was replaced, the newest before others. */
function newestOfEach(found: FoundMark[]): FoundMark[] {
  const best = new Map<string, FoundMark>()
  for (const turn of found) {
    const other = best.get(turn.conversationId)
    const rank = ({ superseded, seq }: FoundMark): number => (superseded ? 0 : 1_000_000_000) + seq
    if (!other || rank(turn) > rank(other)) best.set(turn.conversationId, turn)
  }
  return [...best.values()]
}
