import { sql } from 'kysely'
import type { TurnCount } from '../../contract.ts'
import { lowestId } from '../../ids.ts'
import { DAY_MS, turnsByDay } from '../../turn-counts.ts'
import type { Db } from './tables.ts'

/** How much older than its turn an id may be. */
const ID_AGE_MS = DAY_MS
/** How long one portion should take: the event loop waits for SQLite. */
const PORTION_MS = 20
const FIRST_PORTION = 100
const MAX_PORTION = 10_000

/** Counts in portions, each as large as the time of the one before allows: long texts make rows slow to read. */
export async function countTurns(db: Db, sessionId: string, since: number): Promise<TurnCount[]> {
  const counts: (Omit<TurnCount, 'day'> & { createdAt: number })[] = []
  let after = lowestId('turn', since - ID_AGE_MS)
  for (let portion = FIRST_PORTION; ; ) {
    const startedAt = performance.now()
    const rows = await portionQuery(db, sessionId, since, after, portion).execute()
    const growth = Math.min(PORTION_MS / (performance.now() - startedAt), 2)
    let read = 0
    for (const { day, status, error, turns, last } of rows) {
      if (day !== null) counts.push({ createdAt: day * DAY_MS, status, error, turns })
      read += turns
      after = last
    }
    if (read < portion) return turnsByDay(counts)
    portion = Math.min(Math.max(Math.floor(portion * growth), 1), MAX_PORTION)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * Counts of the session's next turns by id, at most `limit` of them; `day` is null for those that are not meant, and
 * `last` the id of the last. Cut by id and not by day: one day may have more turns than can be read at once.
 */
export function portionQuery(db: Db, sessionId: string, since: number, after: string, limit: number) {
  const next = db
    .selectFrom('turns')
    .select(['id', 'kind', 'status', 'error', 'created_at'])
    .where('session_id', '=', sessionId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
  return db
    .selectFrom(next.as('next'))
    .select([
      sql<number | null>`case when kind <> 'items' and created_at >= ${since}
        then created_at / ${sql.lit(DAY_MS)} end`.as('day'),
      'status',
      'error',
      sql<number>`count(*)`.as('turns'),
      sql<string>`max(max(id)) over ()`.as('last')
    ])
    .groupBy(['day', 'status', 'error'])
}
