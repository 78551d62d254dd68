import Database from 'better-sqlite3'
import type { Test } from 'tap'

/** A second connection to the SQLite file of `dbUrl`, as another process would have one. */
export function openDatabase(t: Test, dbUrl: string): Database.Database {
  const sqlite = new Database(dbUrl.slice(dbUrl.indexOf(':') + 1), { timeout: 0, fileMustExist: true })
  t.teardown(() => sqlite.close())
  return sqlite
}

/** Takes the write lock of the SQLite file at once and holds it until `release`. */
export function lockedDatabase(t: Test, dbUrl: string): { release(): void } {
  const sqlite = openDatabase(t, dbUrl)
  sqlite.exec('BEGIN IMMEDIATE')
  return { release: () => void sqlite.exec('ROLLBACK') }
}
