import type { Turn, TurnCount } from './contract.ts'

export const DAY_MS = 86_400_000

/** Turns that began at one moment and ended in one way; one, unless it says more. */
type Counted = Pick<Turn, 'createdAt' | 'status' | 'error'> & { turns?: number }

/** The turns added up and sorted as `countTurns` gives them. */
export function turnsByDay(turns: Iterable<Counted>): TurnCount[] {
  const counts = new Map<string, TurnCount>()
  for (const { createdAt, status, error, turns: more = 1 } of turns) {
    const day = startOfDay(createdAt)
    const name = `${day} ${status} ${error}`
    const known = counts.get(name)
    if (known) known.turns += more
    else counts.set(name, { day, status, error, turns: more })
  }
  return [...counts.values()].sort(
    (a, b) => a.day - b.day || compare(a.status, b.status) || compare(a.error ?? '', b.error ?? '')
  )
}

/** The first instant of the UTC day. */
export function startOfDay(instant: number): number {
  return Math.floor(instant / DAY_MS) * DAY_MS
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
