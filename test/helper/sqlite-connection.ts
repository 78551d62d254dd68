import Database from 'better-sqlite3'
import { sqliteStore } from '../../storage/drivers/sqlite.ts'

/** An initialized store with its own connection: settings of a connection cannot be seen from another one. */
export async function openWithConnection(file: string) {
  const { pragma } = Database.prototype
  let connection: Database.Database | undefined
  Database.prototype.pragma = function (...args) {
    connection = this
    return pragma.apply(this, args)
  }
  try {
    const store = sqliteStore(file)
    await store.initialize()
    if (!connection) throw new Error('the store has set up no connection')
    return { store, connection }
  } finally {
    Database.prototype.pragma = pragma
  }
}
