import fc from 'fast-check'
import type { Test } from 'tap'

/** A property is searched for this long at most; what is left of its runs is given up then. */
const TIME_LIMIT_MS = 30_000

/**
 * Holds a property, over `RUNS` generated values or as many as `runs` says. A failure prints the smallest value that
 * was found against it, and the seed and path that `SEED` and `FC_PATH` take to find it again.
 */
export async function holds<T>(t: Test, property: fc.IRawProperty<T>, runs: number): Promise<void> {
  const { RUNS, SEED, FC_PATH } = process.env
  const result = await fc.check(property, {
    numRuns: Number(RUNS ?? runs),
    interruptAfterTimeLimit: TIME_LIMIT_MS,
    includeErrorInReport: true,
    ...(SEED !== undefined && { seed: Number(SEED) }),
    ...(FC_PATH !== undefined && { path: FC_PATH })
  })
  t.ok(result.numRuns > 0, 'it was tried')
  if (result.failed) t.fail(fc.defaultReportMessage(result) ?? 'the property failed')
}
