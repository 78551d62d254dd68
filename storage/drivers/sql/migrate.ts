import fs from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import { StoreError } from '../../store-error.ts'
import type { Db } from './tables.ts'

const migrationFolder = path.join(import.meta.dirname, '../../../migrations')

/**
 * Applies what is missing of `migrations/` in one transaction that first takes `lock`: all of it or nothing, and
 * one process at a time. Rejects with `StoreError` `STORE_SCHEMA` when the database is ahead of this program, else
 * with the database's own error.
 */
export async function migrateToLatest(db: Db, lock: (db: Db) => Promise<unknown>): Promise<void> {
  const provider = new FileMigrationProvider({
    fs,
    path,
    migrationFolder,
    import: (file) => import(pathToFileURL(file).href)
  })
  await db.transaction().execute(async (trx) => {
    await lock(trx)
    const { error } = await new Migrator({ db: trx, provider }).migrateToLatest()
    if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
      throw new StoreError('STORE_SCHEMA', 'the database has a newer schema than this version knows', error)
    }
    if (error !== undefined) throw error
  })
}
