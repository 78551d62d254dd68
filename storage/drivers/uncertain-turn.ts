import type { BegunTurn } from '../contract.ts'
import { StoreError } from '../store-error.ts'

/** Runs `begin`, which tells `hold` what it is about to commit; when that may have happened, the error names it. */
export async function namingTurn<T>(
  begin: (hold: (begun: BegunTurn | null) => void) => Promise<T>
): Promise<T> {
  let held: BegunTurn | null = null
  const hold = (begun: BegunTurn | null): void => {
    held = begun
  }
  try {
    return await begin(hold)
  } catch (err) {
    const begun = held as BegunTurn | null
    if (err instanceof StoreError && err.code === 'STORE_UNCERTAIN' && begun?.outcome === 'begun')
      err.turn = begun.turn
    throw err
  }
}
