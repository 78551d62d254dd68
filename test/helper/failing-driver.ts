import type { Store } from '../../storage/contract.ts'
import { registerDriver } from '../../storage/open-store.ts'
import { StoreError } from '../../storage/store-error.ts'

/** How the next call of a method is to go; null = well. `lost`: it happens, and its answer does not come. */
export type Mishap = 'fails' | 'lost' | 'hangs' | null

type Troubled = 'beginTurn' | 'finishTurn' | 'ping' | 'close'
export type Troubles = Partial<Record<Troubled, () => Mishap>>

/** A driver for `failing:<SQLite file>`: SQLite, but for the mishaps that `troubles` gives. */
export function registerFailing(troubles: Troubles): void {
  registerDriver('failing', async () => {
    const { sqliteStore } = await import('../../storage/drivers/sqlite.ts')
    return (file) => {
      const store = sqliteStore(file)
      return {
        ...store,
        beginTurn: (...args) => meet('beginTurn', () => store.beginTurn(...args)),
        finishTurn: (...args) => meet('finishTurn', () => store.finishTurn(...args)),
        ping: () => meet('ping', () => store.ping()),
        close: () => meet('close', () => store.close())
      } satisfies Store
    }
  })

  async function meet<T>(method: Troubled, work: () => Promise<T>): Promise<T> {
    const mishap = troubles[method]?.() ?? null
    if (mishap === 'hangs') return await new Promise(() => {})
    if (mishap === 'fails') throw new StoreError('STORE_UNAVAILABLE', 'the store failed')
    const result = await work()
    if (mishap === 'lost') throw new StoreError('STORE_UNCERTAIN', 'the answer was lost')
    return result
  }
}
