import type Database from 'better-sqlite3'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

/** A store has some dozens; those that are made of a list's length, or of a migration, are many. */
const MAX_STATEMENTS = 200

/** The database as Kysely uses it, with its statements prepared once: it would prepare them for each use. */
export function withCachedStatements(sqlite: Database.Database): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>() // the least recently used first

  return {
    close: () => void sqlite.close(),
    prepare(text) {
      const statement = statements.get(text) ?? (sqlite.prepare(text) as unknown as SqliteStatement)
      statements.delete(text)
      statements.set(text, statement)
      const [oldest] = statements.keys()
      if (statements.size > MAX_STATEMENTS && oldest !== undefined) statements.delete(oldest)
      return statement
    }
  }
}
