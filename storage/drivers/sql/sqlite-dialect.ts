import { type SqliteDatabase, sql } from 'kysely'
import type { DeferredWrites } from '../group-commit.ts'
import type { SqlDialect } from './dialect.ts'
import { prepared } from './prepared.ts'

const putEntry = prepared<{ conversationId: string; seq: number }>(['conversationId', 'seq'])(
  // The update changes nothing; it makes a row that is there return its id.
  (db, { conversationId, seq }) =>
    sql<{ id: number }>`
      insert into search_entries (conversation_id, seq) values (${conversationId}, ${seq})
      on conflict (conversation_id, seq) do update set seq = excluded.seq returning id`.compile(db)
)

const putText = prepared<{ id: number; words: string }>(['id', 'words'])((db, { id, words }) =>
  sql`insert or replace into search_words (rowid, words) values (${id}, ${words})`.compile(db)
)

const entriesAmong = prepared<{ ids: string }>(['ids'])((db, { ids }) =>
  sql<{
    id: number
  }>`select id from search_entries where id in (select value from json_each(${ids}))`.compile(db)
)

/**
 * The words are in an FTS5 table, under the ids of `search_entries`. They are written at the end of a transaction:
 * FTS5 writes to its tables at each savepoint, and an update is one, which costs more than all the rest of a turn.
 */
export function createSqliteDialect(sqlite: SqliteDatabase): {
  dialect: SqlDialect
  deferred: DeferredWrites
} {
  const entries: { id: number; words: string }[] = []

  const deferred: DeferredWrites = {
    count: () => entries.length,
    keep(count) {
      entries.length = count
    },
    async write(db) {
      const put = new Map(entries.splice(0).map(({ id, words }) => [id, words]))
      if (put.size === 0) return
      // What was deleted by a later write of the same transaction must not be found.
      const there = await entriesAmong(db, dialect, { ids: JSON.stringify([...put.keys()]) })
      // One at a time: of several rows in one statement, FTS5 would write each at once too.
      for (const { id } of there) await putText(db, dialect, { id, words: put.get(id) ?? '' })
    }
  }

  const dialect: SqlDialect = {
    execute<R>(text: string, parameters: unknown[]) {
      const statement = sqlite.prepare(text)
      if (statement.reader) return { rows: statement.all(parameters) as R[] }
      statement.run(parameters)
      return { rows: [] }
    },

    // A transaction has the only lock there is.
    held: (conversationId) => sql`${conversationId}`,
    heldUnlessBusy: sql``,
    contains: (column, part) => sql`instr(${sql.ref(column)}, ${part}) > 0`,

    async putWords(db, conversationId, seq, words) {
      const put = await putEntry(db, dialect, { conversationId, seq })
      for (const { id } of put) entries.push({ id, words: words.join(' ') })
    },

    conversationsWith(_db, conversations, words, direction, count) {
      const found = sql<string>`(
        select search_entries.conversation_id from search_words
        join search_entries on search_entries.id = search_words.rowid
        where search_words match ${words.map((word) => `"${word}"`).join(' ')})`
      return conversations.where('id', 'in', found).orderBy('id', direction).limit(count).execute()
    }
  }

  return { dialect, deferred }
}
