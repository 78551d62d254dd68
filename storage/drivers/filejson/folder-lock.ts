import path from 'node:path'
import Database from 'better-sqlite3'
import { StoreError } from '../../store-error.ts'

/**
 * Makes this process the folder's only writer; returns what gives the folder free. The lock is the operating
 * system's, held through an empty SQLite file: when a process dies, however it dies, its lock dies with it, so
 * there is no stale lock to guess about. Throws `STORE_UNAVAILABLE` when another process has the folder.
 */
export function lockFolder(folder: string): () => void {
  const lock = new Database(path.join(folder, '.lock'), { timeout: 0 })
  try {
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new StoreError('STORE_UNAVAILABLE', 'another process is using the folder', cause)
  }
  return () => lock.close()
}
