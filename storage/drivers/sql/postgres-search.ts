import { type Selectable, sql } from 'kysely'
import type { ConversationQuery } from './dialect.ts'
import type { Db, Tables } from './tables.ts'

type ConversationRow = Selectable<Tables['conversations']>

/** So many entries are looked at before it is given up to look by the index. */
const ENOUGH = 1_000
/** A word that the statistics do not know is taken to be in half this share of all entries. */
const FREQUENT_SHARE = 0.003

/**
 * The first conversations with all `words` in one entry. The index knows the entries of a word but not their order, and
 * the conversations in their order not the words: a rare word is looked up in the index, for a frequent one the
 * conversations are walked through. Either finds the same; the planner chooses wrongly for words that its statistics do
 * not list, and so the choice is made here.
 */
export async function conversationsWith(
  db: Db,
  conversations: ConversationQuery,
  words: string[],
  direction: 'asc' | 'desc',
  count: number
): Promise<ConversationRow[]> {
  const query = words.map((word) => `'${word}'`).join(' & ')
  const found = (await isFrequent(db, query))
    ? null
    : await byIndex(db, conversations, query, direction, count)
  return found ?? (await byWalk(db, conversations, query, direction, count))
}

async function isFrequent(db: Db, query: string): Promise<boolean> {
  const { rows } = await sql<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>`
    explain (format json) select from search_entries where words @@ ${query}::tsquery`.execute(db)
  const estimate = rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0
  if (estimate <= ENOUGH) return false
  const all = await sql<{ count: number }>`
    select reltuples as count from pg_class where oid = 'search_entries'::regclass`.execute(db)
  return estimate > FREQUENT_SHARE * (all.rows[0]?.count ?? 0)
}

/** Null when there are more entries than are to be looked at. */
async function byIndex(
  db: Db,
  conversations: ConversationQuery,
  query: string,
  direction: 'asc' | 'desc',
  count: number
): Promise<ConversationRow[] | null> {
  // The planner takes a share of the whole table for a query that it cannot see, and so the index, whatever the
  // statistics say; `offset 0` has it look up each conversation by its id.
  const one = conversations.where('id', '=', sql<string>`entry.conversation_id`).offset(0)
  const { rows } = await sql<{ entries: number } & ConversationRow>`
    with entries as materialized (
      select conversation_id from search_entries where words @@ (select ${query}::tsquery) limit ${ENOUGH + 1}
    ), found as (
      select conversation.* from (select distinct conversation_id from entries) as entry
      cross join lateral ${one} as conversation
      order by conversation.id ${sql.raw(direction)} limit ${count}
    )
    select counted.entries, found.* from (select count(*)::integer as entries from entries) as counted
    left join found on true order by found.id ${sql.raw(direction)}`.execute(db)
  if ((rows[0]?.entries ?? 0) > ENOUGH) return null
  return rows.filter(({ id }) => id !== null)
}

async function byWalk(
  db: Db,
  conversations: ConversationQuery,
  query: string,
  direction: 'asc' | 'desc',
  count: number
): Promise<ConversationRow[]> {
  const inOrder = conversations.orderBy('id', direction).offset(0)
  const { rows } = await sql<ConversationRow>`
    select conversation.* from ${inOrder} as conversation
    where exists (
      select from (select words from search_entries where conversation_id = conversation.id offset 0) as entry
      where entry.words @@ ${query}::tsquery
    )
    order by conversation.id ${sql.raw(direction)} limit ${count}`.execute(db)
  return rows
}
