import { sql } from 'kysely'
import type { StoreCounters } from '../contract.ts'
import { StoreError } from '../store-error.ts'
import type { Db } from './sql/tables.ts'

interface Job {
  work: (db: Db) => Promise<unknown>
  resolve: (value: unknown) => void
  reject: (err: unknown) => void
  deadline: number
}

interface GroupCommitOptions {
  /** Whether an error means that another process holds the lock. */
  isBusy: (err: unknown) => boolean
  /** How long a write may wait for that lock. */
  waitMs: number
  retryMs: number
  /** What jobs leave to be written at once, for all of them, at the end of their transaction. */
  deferred: DeferredWrites
}

export interface DeferredWrites {
  /** How many there are. */
  count(): number
  /** Forgets all but the first `count`. */
  keep(count: number): void
  write(db: Db): Promise<void>
}

/** The most writes that share a transaction: bounds how long the event loop is busy with one. */
const MAX_BATCH = 64
/** After this time no further write joins a transaction: deletions are long, and the event loop stands still meanwhile. */
const MAX_BATCH_MS = 50

/**
 * All writes that are waiting share one transaction, and so one flush to disk; each still succeeds or
 * fails on its own. While another process holds the lock, writes wait without blocking the event loop.
 */
export function groupCommit(db: Db, counters: StoreCounters, options: GroupCommitOptions) {
  let queue: Job[] = []
  let draining: Promise<void> | undefined
  /**
   * Requests arrive one by one within a turn of the event loop, each with promises in between. The first is written at
   * once; those after it wait for the turn's end, or each would be a transaction of its own.
   */
  let committedInThisTurn = false

  function write<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + options.waitMs
      queue.push({ work, resolve: resolve as Job['resolve'], reject, deadline })
      draining ??= drain()
    })
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      if (committedInThisTurn) await new Promise((resolve) => setImmediate(resolve))
      const jobs = queue.splice(0, MAX_BATCH)
      try {
        const left = await commit(jobs)
        queue = [...left, ...queue]
      } catch (err) {
        if (options.isBusy(err)) {
          queue = [...expire(jobs, err), ...queue]
          await new Promise((resolve) => setTimeout(resolve, options.retryMs * (0.5 + Math.random())))
        } else {
          for (const job of jobs) job.reject(unavailable(err))
        }
      }
    }
    draining = undefined
  }

  /**
   * Resolves the jobs once their common transaction is durable; rejects when it could not be. Resolves to those for
   * which there was no time.
   */
  async function commit(jobs: Job[]): Promise<Job[]> {
    const settle: (() => void)[] = []
    const startedAt = performance.now()
    options.deferred.keep(0) // of a transaction that failed
    await db.transaction().execute(async (trx) => {
      for (const job of jobs) {
        settle.push(await runAlone(trx, job))
        if (performance.now() - startedAt >= MAX_BATCH_MS) break
      }
      await options.deferred.write(trx)
    })
    committedInThisTurn = true
    setImmediate(() => {
      committedInThisTurn = false
    })
    counters.transactions += 1
    counters.writes += settle.length
    for (const settleJob of settle) settleJob()
    return jobs.slice(settle.length)
  }

  /** Runs one job in a savepoint: its failure undoes its own changes and nobody else's. */
  async function runAlone(trx: Db, job: Job): Promise<() => void> {
    const before = options.deferred.count()
    await sql`savepoint job`.execute(trx)
    try {
      const value = await job.work(trx)
      await sql`release job`.execute(trx)
      return () => job.resolve(value)
    } catch (err) {
      // A full disk ends the whole transaction; then this throws, and every job fails with it.
      options.deferred.keep(before)
      await sql`rollback to job`.execute(trx)
      await sql`release job`.execute(trx)
      return () => job.reject(err instanceof StoreError ? err : unavailable(err))
    }
  }

  /** Rejects the jobs that have waited long enough and returns the others. */
  function expire(jobs: Job[], err: unknown): Job[] {
    const now = performance.now()
    for (const job of jobs) if (job.deadline <= now) job.reject(unavailable(err))
    return jobs.filter((job) => job.deadline > now)
  }

  return {
    write,
    /** Resolves when no write is waiting or running. */
    idle: async (): Promise<void> => draining
  }
}

function unavailable(cause: unknown): StoreError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'write failed'
  return new StoreError('STORE_UNAVAILABLE', `the store could not write (${reason})`, cause)
}
