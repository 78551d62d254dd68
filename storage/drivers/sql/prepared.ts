import type { CompiledQuery } from 'kysely'
import type { SqlDialect } from './dialect.ts'
import type { Db } from './tables.ts'

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
  const given = Object.fromEntries(names.map((name) => [name, new Given(name)])) as unknown as V

  return <R>(build: (db: Db, given: V, dialect: SqlDialect) => CompiledQuery<R>) => {
    const built = new WeakMap<SqlDialect, CompiledQuery<R>>()
    return async (db: Db, dialect: SqlDialect, values: V): Promise<R[]> => {
      const query = built.get(dialect) ?? build(db, given, dialect)
      built.set(dialect, query)
      const parameters = query.parameters.map((value) =>
        value instanceof Given ? values[value.name as keyof V] : value
      )
      return (await db.executeQuery<R>({ ...query, parameters })).rows
    }
  }
}
