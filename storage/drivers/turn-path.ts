/** What of a turn says where it stands. */
export interface Place {
  seq: number
  parentSeq: number
  superseded: boolean
  completed: boolean
}

export interface Replacement {
  /** Seqs that are superseded from now on. */
  hidden: number[]
  /** Seqs that are no longer superseded. */
  shown: number[]
}

/**
 * What changes when a turn completes that follows `parentSeq` and is not the next after it; `older` are the turns
 * with a smaller seq than its own, in any order.
 */
export function replacementBy(parentSeq: number, older: Place[]): Replacement {
  const parent = older.find(({ seq }) => seq === parentSeq)
  const path = parent?.superseded ? pathTo(parent, older) : null
  const counts = ({ seq, superseded }: Place): boolean =>
    path ? path.has(seq) : seq <= parentSeq && !superseded
  const seqsOf = (places: Place[]): number[] => places.map(({ seq }) => seq)
  return {
    hidden: seqsOf(older.filter((place) => !place.superseded && !counts(place))),
    shown: seqsOf(older.filter((place) => place.superseded && counts(place)))
  }
}

/** The seqs on the way from the beginning to `end`. Past a deleted turn it goes on at the newest that counted. */
function pathTo(end: Place, turns: Place[]): Set<number> {
  const bySeq = new Map(turns.map((place) => [place.seq, place]))
  const newestFirst = turns.toSorted((a, b) => b.seq - a.seq)
  const path = new Set<number>()
  let place: Place | undefined = end
  while (place && !path.has(place.seq)) {
    const { seq, parentSeq, completed }: Place = place
    path.add(seq)
    // What did not complete has replaced nothing.
    const next: number = completed ? parentSeq : seq - 1
    if (next <= 0) break
    place = bySeq.get(next) ?? newestFirst.find((other) => other.seq < next && !other.superseded)
  }
  return path
}
