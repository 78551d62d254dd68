import path from 'node:path'
import type { Test } from 'tap'
import { tempFolder } from './app.ts'
import { startDatabase } from './postgres.ts'

/** A new, empty place for each driver, as its `DB_URL`. */
export const DRIVERS: Record<string, (t: Test) => Promise<string>> = {
  sqlite: async (t) => `sqlite:${path.join(tempFolder(t), 'store.db')}`,
  postgres: () => startDatabase(),
  filejson: async (t) => `filejson:${tempFolder(t)}`
}
