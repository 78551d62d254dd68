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
/** How long after a transaction a write may wait for the next one, while there have been so many at that pace. */
const PATIENCE_MS = 5
const BUSY_AFTER = 8
/** After this time no further write joins a transaction: deletions are long, and the event loop stands still meanwhile. */
const MAX_BATCH_MS = 50

/**
 * All writes that are waiting share one transaction, and so one flush to disk; each still succeeds or fails on its
 * own, and may be run twice for it. While another process holds the lock, writes wait without blocking the event loop.
 */
export function groupCommit(db: Db, counters: StoreCounters, options: GroupCommitOptions) {
  let queue: Job[] = []
  let draining: Promise<void> | undefined
  /**
   * Requests arrive one by one within a turn of the event loop, each with promises in between. The first is written at
   * once; those after it wait for the turn's end, or each would be a transaction of its own.
   */
  let committedInThisTurn = false

  /** When the last transactions were committed, the newest first. */
  let commits: number[] = []
  let timer: NodeJS.Timeout | undefined

  function write<T>(work: (db: Db) => Promise<T>): Promise<T> {
    const written = enqueue(work)
    begin()
    return written
  }

  /** The same for a write that others may be spared a transaction by: while there are many, it waits for the next. */
  function writePatiently<T>(work: (db: Db) => Promise<T>): Promise<T> {
    const written = enqueue(work)
    const waitMs = isBusy() ? (commits[0] ?? 0) + PATIENCE_MS - performance.now() : 0
    if (waitMs <= 0) begin()
    else timer ??= setTimeout(begin, waitMs)
    return written
  }

  function isBusy(): boolean {
    const earliest = commits[BUSY_AFTER - 1]
    return earliest !== undefined && performance.now() - earliest < BUSY_AFTER * PATIENCE_MS
  }

  function enqueue<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + options.waitMs
      queue.push({ work, resolve: resolve as Job['resolve'], reject, deadline })
    })
  }

  function begin(): void {
    clearTimeout(timer)
    timer = undefined
    // With nothing to do it would be over before it is known to be under way.
    if (queue.length > 0) draining ??= drain()
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
    // Nearly all jobs succeed, and a savepoint for each would cost as much as a job: they get one once one has failed.
    let run = runBare
    for (;;) {
      try {
        const settled = await together(jobs, run)
        finished(settled.length)
        for (const settle of settled) settle()
        return jobs.slice(settled.length)
      } catch (err) {
        if (!(err instanceof UndoneByJob)) throw err
        if (run === runAlone || jobs.length === 1) {
          err.job.reject(reasonOf(err.cause))
          jobs.splice(jobs.indexOf(err.job), 1)
        }
        if (jobs.length === 0) return []
        run = runAlone
      }
    }
  }

  function finished(writes: number): void {
    commits = [performance.now(), ...commits.slice(0, BUSY_AFTER - 1)]
    committedInThisTurn = true
    setImmediate(() => {
      committedInThisTurn = false
    })
    counters.transactions += 1
    counters.writes += writes
  }

  /** Runs the jobs in one transaction. Rejects with `UndoneByJob` when that was undone because of one of them. */
  async function together(jobs: Job[], run: typeof runBare): Promise<(() => void)[]> {
    const settled: (() => void)[] = []
    const startedAt = performance.now()
    options.deferred.keep(0) // of a transaction that failed
    await db.transaction().execute(async (trx) => {
      for (const job of jobs) {
        settled.push(await run(trx, job))
        if (performance.now() - startedAt >= MAX_BATCH_MS) break
      }
      await options.deferred.write(trx)
    })
    return settled
  }

  async function runBare(trx: Db, job: Job): Promise<() => void> {
    try {
      const value = await job.work(trx)
      return () => job.resolve(value)
    } catch (cause) {
      throw new UndoneByJob(job, cause)
    }
  }

  /** Runs one job in a savepoint: its failure undoes its own changes and nobody else's. */
  async function runAlone(trx: Db, job: Job): Promise<() => void> {
    const before = options.deferred.count()
    await sql`savepoint job`.execute(trx)
    try {
      const value = await job.work(trx)
      await sql`release job`.execute(trx)
      return () => job.resolve(value)
    } catch (cause) {
      options.deferred.keep(before)
      await sql`rollback to job`.execute(trx).catch(() => {
        throw new UndoneByJob(job, cause) // a full disk has ended the whole transaction
      })
      await sql`release job`.execute(trx)
      return () => job.reject(reasonOf(cause))
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
    writePatiently,
    /** Resolves when no write is waiting or running. */
    async idle(): Promise<void> {
      begin()
      await draining
    }
  }
}

/** A job has failed, and with it the transaction. */
class UndoneByJob extends Error {
  readonly job: Job

  constructor(job: Job, cause: unknown) {
    super('undone', { cause })
    this.job = job
  }
}

function reasonOf(cause: unknown): StoreError {
  return cause instanceof StoreError ? cause : unavailable(cause)
}

function unavailable(cause: unknown): StoreError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'write failed'
  return new StoreError('STORE_UNAVAILABLE', `the store could not write (${reason})`, cause)
}
