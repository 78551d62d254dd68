import { createHash } from 'node:crypto'
import type { CompiledQuery } from 'kysely'
import type { SqlDialect } from './dialect.ts'
import type { Db } from './tables.ts'

const namesOf = new Map<string, string>()

/**
 * The name under which a database may keep the plan of a statement; undefined for one that was not built here. It is
 * that of no other text, whoever may have named it: connections can be shared with other versions of this program.
 */
export function statementName(text: string): string | undefined {
  return namesOf.get(text)
}

/** Stands in a query for a value that is given each time it runs. */
class Given {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/**
 * A query whose text is always the same. It is built once for each database: Kysely takes longer to build a query than
 * SQLite to run it. `build` may do nothing with the values that are given by name but put them where values belong.
 * Resolves to the query's rows.
 */
export function prepared<V extends object>(names: readonly (keyof V & string)[]) {
  return preparedFor<V>(names, (query, db, dialect) =>
    dialect.execute ? Promise.resolve(dialect.execute(query.sql, query.parameters)) : db.executeQuery(query)
  )
}

/** The same for a query outside any transaction, which is not to see what others have not committed. */
export function preparedRead<V extends object>(names: readonly (keyof V & string)[]) {
  return preparedFor<V>(names, (query, db) => db.executeQuery(query))
}

type Run = <R>(
  query: CompiledQuery<R> & { parameters: unknown[] },
  db: Db,
  dialect: SqlDialect
) => Promise<{ rows: R[] }>

function preparedFor<V extends object>(names: readonly (keyof V & string)[], run: Run) {
  const given = Object.fromEntries(names.map((name) => [name, new Given(name)])) as unknown as V

  return <R>(build: (db: Db, given: V, dialect: SqlDialect) => CompiledQuery<R>) => {
    const built = new WeakMap<SqlDialect, CompiledQuery<R>>()
    return async (db: Db, dialect: SqlDialect, values: V): Promise<R[]> => {
      const query = built.get(dialect) ?? named(build(db, given, dialect))
      built.set(dialect, query)
      const parameters = query.parameters.map((value) =>
        value instanceof Given ? values[value.name as keyof V] : value
      )
      return (await run<R>({ ...query, parameters }, db, dialect)).rows
    }
  }
}

function named<R>(query: CompiledQuery<R>): CompiledQuery<R> {
  namesOf.set(query.sql, createHash('sha256').update(query.sql).digest('hex').slice(0, 32))
  return query
}
