import type { Store } from './contract.ts'
import { StoreError } from './store-error.ts'

export interface StoreOptions {
  /** Hears of what an operator should know, such as a file that was set aside. */
  report: (message: string) => void
}

/** Opens a store; `location` is what follows the scheme in `DB_URL`. */
export type StoreFactory = (location: string, options: StoreOptions) => Promise<Store> | Store

const drivers = new Map<string, () => Promise<StoreFactory>>()

/** Adds a driver for `scheme`, for hosts that bring their own. `load` runs when a URL first names it. */
export function registerDriver(scheme: string, load: () => Promise<StoreFactory>): void {
  drivers.set(scheme, load)
}

const sqlite = async () => (await import('./drivers/sqlite.ts')).sqliteStore
registerDriver('sqlite', sqlite)
registerDriver('file', sqlite)
const postgres = async () => (await import('./drivers/postgres.ts')).postgresStore
registerDriver('postgres', postgres)
registerDriver('postgresql', postgres)
registerDriver('filejson', async () => (await import('./drivers/filejson.ts')).filejsonStore)

/**
 * Opens the store that `dbUrl` names; `initialize` makes it ready. Rejects with `StoreError`, whose
 * message never holds the URL: it may carry a password.
 */
export async function openStore(dbUrl: string, options: StoreOptions): Promise<Store> {
  const colon = dbUrl.indexOf(':')
  const scheme = colon > 0 ? dbUrl.slice(0, colon) : ''
  const load = drivers.get(scheme)
  if (!load) {
    const known = [...drivers.keys()].map((name) => `${name}:`).join(', ')
    throw new StoreError('STORE_UNAVAILABLE', `unknown kind of store; known are ${known}`)
  }
  const factory = await load()
  return await factory(dbUrl.slice(colon + 1), options)
}
