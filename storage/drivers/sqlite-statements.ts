import type Database from 'better-sqlite3'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

/** A store has some dozens; those that are made of a list's length, or of a migration, are many. */
const MAX_STATEMENTS = 200

/** The database as Kysely uses it, with its statements prepared once: it would prepare them for each use. */
export function withCachedStatements(sqlite: Database.Database): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>()

  return {
    close: () => void sqlite.close(),
    prepare(text) {
      const known = statements.get(text)
      if (known) return known
      if (statements.size === MAX_STATEMENTS) statements.clear()
      const statement = sqlite.prepare(text) as unknown as SqliteStatement
      statements.set(text, statement)
      return statement
    }
  }
}
