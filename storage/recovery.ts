import type { Store } from './contract.ts'

/** How often each process shows that it lives, and looks at the others: the third look is surely after 15 s. */
export const BEAT_INTERVAL_MS = 5_010
/** How long another process's beat must stand still before its turns count as lost. */
export const DEAD_AFTER_MS = 15_000
/** How many looks in a row must have found it so. */
const DEAD_AFTER_LOOKS = 3

/**
 * Watches the beats of all processes on a store. Death is told by a counter that stands still on this
 * process's own monotonic clock; no two clocks are ever compared, so wrong or jumping clocks do no harm.
 */
export function createRecovery(store: Store, owner: string, now: () => number = () => performance.now()) {
  const seen = new Map<string, { beat: number; since: number; looks: number }>()

  return {
    /** Beats once, and ends the turns of processes found dead. Resolves to the number of turns ended. */
    async tick(): Promise<number> {
      const beats = await store.beat(owner)
      for (const known of seen.keys()) {
        if (!beats.some((row) => row.owner === known)) seen.delete(known)
      }
      let ended = 0
      for (const row of beats) {
        const last = seen.get(row.owner)
        if (row.owner === owner) continue
        if (last?.beat !== row.beat) {
          seen.set(row.owner, { beat: row.beat, since: now(), looks: 0 })
          continue
        }
        // Looks count as well as time: while the store was away, nobody could beat.
        last.looks += 1
        if (last.looks >= DEAD_AFTER_LOOKS && now() - last.since >= DEAD_AFTER_MS) {
          ended += await store.recoverTurns(row.owner)
          seen.delete(row.owner)
        }
      }
      return ended
    }
  }
}
