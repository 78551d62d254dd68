import fs from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Kysely } from 'kysely'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import { StoreError } from '../../store-error.ts'

const migrationFolder = path.join(import.meta.dirname, '../../../migrations')

/** Applies what is missing of `migrations/`, under the database's lock. Rejects with `StoreError`. */
export async function migrateToLatest<T>(db: Kysely<T>): Promise<void> {
  const provider = new FileMigrationProvider({
    fs,
    path,
    migrationFolder,
    import: (file) => import(pathToFileURL(file).href)
  })
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  if (error === undefined) return
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    throw new StoreError('STORE_SCHEMA', 'the database has a newer schema than this version knows', error)
  }
  throw new StoreError('STORE_UNAVAILABLE', 'the schema could not be brought up to date', error)
}
