import { sql } from 'kysely'
import type { SqlDialect } from './dialect.ts'
import { conversationsWith } from './postgres-search.ts'
import { beginInOne, finishInOne } from './postgres-turns.ts'

/** The words are a `tsvector` in `search_entries`. */
export const postgresDialect: SqlDialect = {
  // A subquery for one value runs first, before the statement locks a row of its own.
  held: (id) =>
    sql`(select conversations.id from conversations where conversations.id = ${id} for key share)`,
  heldUnlessBusy: sql`for update skip locked`,
  contains: (column, part) => sql`strpos(${sql.ref(column)}, ${part}) > 0`,

  async putWords(db, conversationId, seq, words) {
    await sql`
      insert into search_entries (conversation_id, seq, words)
      values (${conversationId}, ${seq}, array_to_tsvector(string_to_array(${words.join(' ')}, ' ')))
      on conflict (conversation_id, seq) do update set words = excluded.words`.execute(db)
  },

  inOneStatement: { begin: beginInOne, finish: finishInOne },

  conversationsWith
}
