import { percentile } from '../stats.ts'
import type { LoadResult } from './ask.ts'

/** What the connections of one run count together. */
export interface Tally {
  count: number
  errors: number
  firstError: string | null
  firstByteMs: number[]
  tokenMs: number[]
}

export function resetTally(tally: Tally): void {
  Object.assign(tally, { count: 0, errors: 0, firstError: null, firstByteMs: [], tokenMs: [] })
}

export function resultOf({ count, errors, firstError, ...times }: Tally, elapsedMs: number): LoadResult {
  const both = (values: number[]) => ({ p50: percentile(values, 0.5), p99: percentile(values, 0.99) })
  return {
    count,
    errors,
    firstError,
    elapsedMs,
    firstByteMs: both(times.firstByteMs),
    tokenMs: both(times.tokenMs)
  }
}
