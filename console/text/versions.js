/** @typedef {import('../../client/index.d.ts').Turn} Turn */

/**
 * The turns that a person reads, oldest first: those that count, or, with `viewed`, the way to that turn and on from
 * it, replaced ones included.
 * @param {Turn[]} turns By seq.
 * @param {number | null} viewed The seq of a turn that was replaced.
 * @returns {Turn[]}
 */
export function shownTurns(turns, viewed) {
  const bySeq = new Map(turns.map((turn) => [turn.seq, turn]))
  const start = viewed === null ? undefined : bySeq.get(viewed)
  if (!start) return turns.filter(({ superseded }) => !superseded)
  const path = [start]
  for (let turn = bySeq.get(start.parent_seq); turn; turn = bySeq.get(turn.parent_seq)) path.unshift(turn)
  for (let turn = nextOf(turns, start); turn; turn = nextOf(turns, turn)) path.push(turn)
  return path
}

/** The newest turn that follows it. @param {Turn[]} turns @param {Turn} turn */
function nextOf(turns, { seq }) {
  return turns.findLast(({ parent_seq }) => parent_seq === seq)
}

/**
 * The versions that there are of each place, oldest first: the seqs of the turns that follow the same one. Those that
 * did not complete are versions only once another has replaced them; until then they stand beside the others.
 * @param {Turn[]} turns
 * @returns {Map<number, number[]>} By the seq that they follow.
 */
export function versionsByParent(turns) {
  /** @type {Map<number, number[]>} */
  const versions = new Map()
  for (const { parent_seq, seq, superseded, status } of turns) {
    if (superseded || status === 'completed')
      versions.set(parent_seq, [...(versions.get(parent_seq) ?? []), seq])
  }
  return versions
}
