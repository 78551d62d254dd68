import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import type { DatabaseConnection, SqliteDatabase } from 'kysely'
import { CompiledQuery, Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'
import type { Store } from '../contract.ts'
import { StoreError } from '../store-error.ts'
import { groupCommit } from './group-commit.ts'
import { migrateToLatest } from './sql/migrate.ts'
import { sqlStore } from './sql/sql-store.ts'
import { createSqliteDialect } from './sql/sqlite-dialect.ts'
import type { Tables } from './sql/tables.ts'
import { withCachedStatements } from './sqlite-statements.ts'

/** How long a write waits for a lock that another process holds. The event loop never waits. */
const LOCK_WAIT_MS = 5_000
const LOCK_RETRY_MS = 15
const START_LOCK_WAIT_MS = 10_000
const FULL = 2

/**
 * One SQLite file, or `:memory:`. Every commit is on the disk before it is reported: WAL with
 * `synchronous=FULL`. Several processes on one machine may share the file.
 */
export function sqliteStore(file: string): Store {
  const sqlite = open(file)
  const statements = withCachedStatements(sqlite)
  const db = new Kysely<Tables>({ dialect: new ImmediateDialect(sqlite, statements) })
  const counters = { transactions: 0, writes: 0 }
  const { dialect, deferred } = createSqliteDialect(statements)
  const options = { isBusy, waitMs: LOCK_WAIT_MS, retryMs: LOCK_RETRY_MS, deferred }
  const committer = groupCommit(db, counters, options)
  let closing: Promise<void> | undefined

  return sqlStore({
    counters,
    dialect,
    write: committer.write,
    transact: committer.write,
    transactPatiently: committer.writePatiently,
    read: (query) => query(db).catch(rethrow),
    async migrate() {
      const deadline = Date.now() + START_LOCK_WAIT_MS
      await retryWhileBusy(() => configure(sqlite), deadline)
      await retryWhileBusy(() => migrateToLatest(db, alreadyLocked), deadline)
      // better-sqlite3 lowers this on its own under WAL, so it is looked at after a transaction.
      if (sqlite.pragma('synchronous', { simple: true }) !== FULL) {
        throw new StoreError('STORE_UNAVAILABLE', 'SQLite does not run with synchronous=FULL')
      }
    },
    close() {
      closing ??= committer.idle().then(async () => {
        await db.destroy()
        sqlite.close() // Kysely leaves a database open that it never used
      })
      return closing
    }
  })
}

function open(file: string): Database.Database {
  // SQLite would take it for a temporary database, and forget it all.
  if (file.trim() === '') throw new StoreError('STORE_UNAVAILABLE', 'the URL names no SQLite file')
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    // With a timeout SQLite would block the event loop while it waits for a lock.
    return new Database(file, { timeout: 0 })
  } catch (cause) {
    throw new StoreError('STORE_UNAVAILABLE', `cannot open the SQLite file: ${reasonOf(cause)}`, cause)
  }
}

async function configure(sqlite: Database.Database): Promise<void> {
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma('foreign_keys = ON')
}

async function retryWhileBusy(work: () => Promise<void>, deadline: number): Promise<void> {
  for (;;) {
    try {
      return await work()
    } catch (err) {
      if (!isBusy(err)) {
        throw err instanceof StoreError
          ? err
          : new StoreError('STORE_UNAVAILABLE', `cannot set up the SQLite file: ${reasonOf(err)}`, err)
      }
      if (Date.now() > deadline) throw new StoreError('STORE_UNAVAILABLE', 'the SQLite file is locked', err)
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS))
    }
  }
}

function rethrow(err: unknown): never {
  if (err instanceof StoreError) throw err
  throw new StoreError('STORE_UNAVAILABLE', `SQLite: ${reasonOf(err)}`, err)
}

function isBusy(err: unknown): boolean {
  return err instanceof Error && 'code' in err && /^SQLITE_(BUSY|LOCKED)/.test(String(err.code))
}

function reasonOf(err: unknown): string {
  return err instanceof Error && 'code' in err ? String(err.code) : String((err as Error).message)
}

/** Kysely's dialect, with transactions that take the write lock at once: a deferred one may fail midway. */
class ImmediateDialect extends SqliteDialect {
  readonly #sqlite: Database.Database

  readonly #statements: SqliteDatabase

  constructor(sqlite: Database.Database, statements: SqliteDatabase) {
    super({ database: statements })
    this.#sqlite = sqlite
    this.#statements = statements
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#sqlite, this.#statements)
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }
}

class ImmediateDriver extends SqliteDriver {
  readonly #sqlite: Database.Database

  constructor(sqlite: Database.Database, statements: SqliteDatabase) {
    super({ database: statements })
    this.#sqlite = sqlite
  }

  /** A failed commit may have rolled back already; a second rollback's error would hide the first. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#sqlite.inTransaction) await super.rollbackTransaction(connection)
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}

/** `begin immediate` is SQLite's lock. */
async function alreadyLocked(): Promise<void> {}

/** SQLite's DDL is transactional, so a migration happens whole or not at all. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}
