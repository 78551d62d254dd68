import { Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import type { Store } from '../contract.ts'
import { StoreError, type StoreErrorCode } from '../store-error.ts'
import {
  createPostgresPool,
  isBroken,
  isDead,
  isEnded,
  isMisnamed,
  isUnstarted,
  MAX_CONNECTIONS
} from './postgres-pool.ts'
import { migrateToLatest } from './sql/migrate.ts'
import { postgresDialect } from './sql/postgres-dialect.ts'
import { sqlStore } from './sql/sql-store.ts'
import type { Db, Tables } from './sql/tables.ts'

/** SQLSTATEs after which the whole transaction was undone and may simply run again. */
const RETRYABLE = new Set(['40001', '40P01'])
/** See `migrations/`. */
const IDEMPOTENCY_INDEX = 'turns_idempotency'
const MAX_ATTEMPTS = MAX_CONNECTIONS + 1
const RETRY_MS = 10
/** An arbitrary number that is this program's. */
const MIGRATION_LOCK = 7_310_589_472

/**
 * A Postgres database, shared by any number of instances. Nothing needs session state, so a transaction
 * pooler may stand in between. `location` is the URL after `postgres:`.
 */
export function postgresStore(location: string): Store {
  const pool = createPostgresPool(`postgres:${location}`)
  const db = new Kysely<Tables>({ dialect: new Dialect({ pool }) })
  const counters = { transactions: 0, writes: 0 }
  let closing: Promise<void> | undefined

  const assertOpen = (): void => {
    if (closing) throw new StoreError('STORE_UNAVAILABLE', 'the store is closed')
  }
  const pending = new Set<Promise<unknown>>()

  /** Runs a read, and again when it met a connection that had died. */
  async function read<T>(work: () => Promise<T>): Promise<T> {
    assertOpen()
    return await guard(() => retry(work, (err) => isDead(err) || isMisnamed(err)))
  }

  async function write<T>(work: () => Promise<T>, isWorthIt = isUndone): Promise<T> {
    assertOpen()
    const writing = guard(() => retry(work, isWorthIt), 'STORE_UNCERTAIN')
    pending.add(writing)
    try {
      const value = await writing
      counters.transactions += 1
      counters.writes += 1
      return value
    } finally {
      pending.delete(writing)
    }
  }

  /** On connections of its own: a migration, or the wait for another process's, may take long. */
  async function migrate(): Promise<void> {
    const patient = new Kysely<Tables>({
      dialect: new Dialect({ pool: createPostgresPool(`postgres:${location}`, 0) })
    })
    try {
      await migrateToLatest(patient, lockMigrations)
    } finally {
      await patient.destroy()
    }
  }

  const transact = <T>(work: (db: Db) => Promise<T>): Promise<T> =>
    write(() => db.transaction().execute((trx) => work(trx as Db)))

  const store = sqlStore({
    counters,
    dialect: postgresDialect,
    migrate: () => read(migrate),
    read: (query) => read(() => query(db)),
    write: (statement) =>
      write(
        () => statement(db),
        (err) => isUndone(err) || isEnded(err)
      ),
    transact,
    transactPatiently: transact,
    close() {
      // The pool refuses those who still wait for a connection when it ends.
      closing ??= Promise.allSettled(pending).then(() => db.destroy())
      return closing
    }
  })
  return { ...store, connections: pool.connections }
}

async function retry<T>(work: () => Promise<T>, isWorthIt: (err: unknown) => boolean): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (err) {
      if (attempt >= MAX_ATTEMPTS || !isWorthIt(err)) throw err
      if (!isDead(err) && !isMisnamed(err))
        await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_MS * attempt))
    }
  }
}

/** Whether a write left nothing behind and may simply run again. */
function isUndone(err: unknown): boolean {
  if (isUnstarted(err) || isMisnamed(err)) return true
  if (!(err instanceof pg.DatabaseError)) return false
  // Of two turns with one idempotency key at once, the second is to find the first.
  return RETRYABLE.has(err.code ?? '') || err.constraint === IDEMPOTENCY_INDEX
}

/** Runs `work`; `whenBroken` is what a connection that broke under way means for it. */
async function guard<T>(
  work: () => Promise<T>,
  whenBroken: StoreErrorCode = 'STORE_UNAVAILABLE'
): Promise<T> {
  try {
    return await work()
  } catch (err) {
    if (err instanceof StoreError) throw err
    const code = isBroken(err) ? whenBroken : 'STORE_UNAVAILABLE'
    throw new StoreError(code, `Postgres: ${reasonOf(err)}`, err)
  }
}

/** SQLSTATE classes whose messages speak of the connection, the role or the schema. Others may quote a value. */
const SAFE_TO_QUOTE = /^(08|28|3D|42|53|57)/

/** What went wrong, without the URL or a value. */
function reasonOf(err: unknown): string {
  if (err instanceof pg.DatabaseError)
    return SAFE_TO_QUOTE.test(err.code ?? '')
      ? `${err.message} (SQLSTATE ${err.code})`
      : `SQLSTATE ${err.code}`
  if (err instanceof Error && 'code' in err) return String(err.code)
  return (err as Error).message
}

/** Held until the transaction ends. Kysely's own lock belongs to the session, which a pooler may change. */
function lockMigrations(db: Db): Promise<unknown> {
  return sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(db)
}

class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

class Dialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new UnlockedAdapter()
  }
}
