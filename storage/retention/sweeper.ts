import { type BulkDeletion, type DeletingStore, deleteInBatches } from './bulk-deletion.ts'

export const DAY_MS = 86_400_000
/** How far the wall clock may move against the monotonic one between two runs. */
export const MAX_CLOCK_SHIFT_MS = 300_000
const RUN_BUDGET_MS = 30_000

/** Since the process started. */
export interface RetentionCounters {
  /** Deleted. */
  conversations: number
  turns: number
  /** Runs that began to delete; those that failed are among them. */
  runs: number
  failures: number
  /** When a run last ended without failure; Unix ms, 0 = never. */
  lastSuccessAt: number
}

export interface Clocks {
  /** Unix ms. */
  wall: () => number
  /** Ms that only ever grow. */
  monotonic: () => number
}

export interface SweeperOptions {
  /** Days after which a conversation goes; 0 = never. */
  days: number
  /** Longest time of a run; ms. Default: 30,000. */
  budgetMs?: number
  batchTurns?: number
  clocks?: Clocks
}

/** What a run deleted; `clock_moved` when it was not begun because the time cannot be trusted. */
export type SweepOutcome = BulkDeletion | 'clock_moved'

export interface Sweeper {
  readonly counters: Readonly<RetentionCounters>
  /**
   * Deletes what is due, as much as fits into the budget; the rest is for the next run. While a run is under way
   * it is the answer to a second call. Rejects with `StoreError`.
   */
  run(signal?: AbortSignal): Promise<SweepOutcome>
}

const SYSTEM_CLOCKS: Clocks = { wall: () => Date.now(), monotonic: () => performance.now() }
const NOTHING: BulkDeletion = { conversations: 0, turns: 0, complete: true }

/**
 * Deletes conversations that were last active more than `days` ago, and are neither pinned nor running. Any number of
 * processes may do so on one store.
 *
 * A clock that was set while this process ran might make everything look old. Such a run is left out; when the clock
 * goes evenly until the next one, it is believed.
 */
export function createSweeper(
  store: DeletingStore,
  { days, clocks = SYSTEM_CLOCKS, budgetMs = RUN_BUDGET_MS, batchTurns }: SweeperOptions
): Sweeper {
  const counters: RetentionCounters = { conversations: 0, turns: 0, runs: 0, failures: 0, lastSuccessAt: 0 }
  let shift = clocks.wall() - clocks.monotonic()
  let running: Promise<SweepOutcome> | undefined

  function clockMoved(): boolean {
    const before = shift
    shift = clocks.wall() - clocks.monotonic()
    return Math.abs(shift - before) > MAX_CLOCK_SHIFT_MS
  }

  async function run(signal?: AbortSignal): Promise<SweepOutcome> {
    if (clockMoved()) return 'clock_moved'
    counters.runs += 1
    try {
      const expired = { expiredBefore: clocks.wall() - days * DAY_MS }
      const deleted = await deleteInBatches(store, expired, {
        budgetMs,
        ...(batchTurns && { batchTurns }),
        ...(signal && { signal }),
        onBatch(batch) {
          counters.conversations += batch.conversations
          counters.turns += batch.turns
        }
      })
      counters.lastSuccessAt = clocks.wall()
      return deleted
    } catch (err) {
      counters.failures += 1
      throw err
    }
  }

  return {
    counters,
    async run(signal) {
      if (days === 0) return NOTHING
      running ??= run(signal).finally(() => {
        running = undefined
      })
      return await running
    }
  }
}
