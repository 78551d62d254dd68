import { sql } from 'kysely'
import type { ConversationChoice, DeletedBatch } from '../../contract.ts'
import { isEmptyChoice } from '../conversation-choice.ts'
import { hasPairs, pairsInJson } from '../metadata-filter.ts'
import type { SqlDialect } from './dialect.ts'
import { type Db, toMetadata } from './tables.ts'

/** How many conversations are read at once, and are held while some of them are deleted. */
const PORTION = 100

export async function countConversations(
  db: Db,
  dialect: SqlDialect,
  which: ConversationChoice,
  upTo: number
): Promise<number> {
  const limit = Math.min(upTo, Number.MAX_SAFE_INTEGER)
  if (isEmptyChoice(which) || limit < 1) return 0
  if (pairsInJson(which.metadata ?? {}).length === 0) {
    const { count } = await db
      .selectFrom(chosen(db, dialect, which).clearSelect().select('id').limit(limit).as('chosen'))
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count
  }
  let count = 0
  for await (const rows of portions(chosen(db, dialect, which), which)) {
    count += rows.length
    if (count >= limit) return limit
  }
  return count
}

export async function deleteConversations(
  db: Db,
  dialect: SqlDialect,
  which: ConversationChoice,
  maxTurns: number
): Promise<DeletedBatch> {
  if (isEmptyChoice(which)) return { conversations: 0, turns: 0 }
  const query = chosen(db, dialect, which).modifyEnd(dialect.heldUnlessBusy)
  for await (const rows of portions(query, which)) {
    const free = which.expiredBefore === undefined ? rows : await withoutRunning(db, rows)
    const batch = firstOfSize(free, maxTurns)
    if (batch.length > 0) return await deleteAll(db, batch)
  }
  return { conversations: 0, turns: 0 }
}

/** Those meant; of the metadata asked for, only that it stands somewhere in the JSON. */
function chosen(db: Db, dialect: SqlDialect, { sessionId, metadata, expiredBefore }: ConversationChoice) {
  let query = db.selectFrom('conversations').select(['id', 'last_seq', 'active_at', 'metadata'])
  if (sessionId !== undefined) query = query.where('session_id', '=', sessionId)
  for (const pair of pairsInJson(metadata ?? {})) query = query.where(dialect.contains('metadata', pair))
  if (expiredBefore === undefined) return query
  return (
    query
      .where('active_at', '<', expiredBefore)
      // In the words of the index's own condition.
      .where(sql<boolean>`pinned = 0`)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('turns')
              .select('turns.seq')
              .whereRef('turns.conversation_id', '=', 'conversations.id')
              .where('turns.owner', 'is not', null)
          )
        )
      )
  )
}

/** What the query finds, the oldest first where age is asked for, and has exactly the metadata asked for. */
async function* portions(query: ReturnType<typeof chosen>, { metadata, expiredBefore }: ConversationChoice) {
  const byAge = expiredBefore !== undefined
  const ordered = byAge ? query.orderBy('active_at').orderBy('id') : query.orderBy('id')
  let rest = ordered
  for (;;) {
    const rows = await rest.limit(PORTION).execute()
    yield rows.filter((row) => hasPairs(toMetadata(row), metadata))
    const last = rows.at(-1)
    if (!last || rows.length < PORTION) return
    rest = byAge
      ? ordered.where(sql<boolean>`(active_at, id) > (${last.active_at}, ${last.id})`)
      : ordered.where('id', '>', last.id)
  }
}

/** Without those in which a turn began before they were held: the query may not have seen it yet. */
async function withoutRunning<R extends { id: string }>(db: Db, rows: R[]): Promise<R[]> {
  if (rows.length === 0) return rows
  const running = await db
    .selectFrom('turns')
    .select('conversation_id')
    .where('conversation_id', 'in', idsOf(rows))
    .where('owner', 'is not', null)
    .execute()
  const ids = new Set(running.map((row) => row.conversation_id))
  return rows.filter(({ id }) => !ids.has(id))
}

/** The first of `rows`, at least one, that together have no more than `maxTurns` turns; an empty one counts as one. */
function firstOfSize<R extends { last_seq: number }>(rows: R[], maxTurns: number): R[] {
  let turns = 0
  const end = rows.findIndex((row, index) => {
    turns += Math.max(row.last_seq, 1)
    return index > 0 && turns > maxTurns
  })
  return end < 0 ? rows : rows.slice(0, end)
}

async function deleteAll(db: Db, rows: { id: string }[]): Promise<DeletedBatch> {
  const { turns } = await db
    .selectFrom('turns')
    .select((eb) => eb.fn.countAll<number>().as('turns'))
    .where('conversation_id', 'in', idsOf(rows))
    .executeTakeFirstOrThrow()
  const result = await db.deleteFrom('conversations').where('id', 'in', idsOf(rows)).executeTakeFirst()
  return { conversations: Number(result.numDeletedRows), turns }
}

function idsOf(rows: { id: string }[]): string[] {
  return rows.map(({ id }) => id)
}
