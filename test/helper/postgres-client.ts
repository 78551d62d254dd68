import pg from 'pg'
import type { Test } from 'tap'
import { eventually } from './endings.ts'

/** A connection of the test's own to a database, as its operator would have one. */
export async function connect(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // a test may stop the server
  await client.connect()
  t.teardown(() => client.end())
  return client
}

const OURS = `from pg_stat_activity where datname = current_database() and application_name = 'turnkeeper'`

/** The connections of the stores on this database. */
export async function connections(client: pg.Client): Promise<{ state: string; in_transaction: boolean }[]> {
  const { rows } = await client.query(`select state, xact_start is not null as in_transaction ${OURS}`)
  return rows
}

/** Ends all connections of the stores, as a server or a firewall may at any time. Resolves to their number. */
export async function terminateAll(client: pg.Client): Promise<number> {
  return (await client.query(`select pg_terminate_backend(pid) ${OURS}`)).rowCount ?? 0
}

/** Waits until a store waits for a lock. */
export async function waiting(client: pg.Client): Promise<void> {
  await eventually('a store waits for a lock', async () => {
    await client.query('select pg_stat_clear_snapshot()') // in a transaction, all looks are the first one
    return (await client.query(`select 1 ${OURS} and wait_event_type = 'Lock'`)).rowCount === 1
  })
}

/** Ends the connection that waits for a lock, once there is one. */
export async function terminateWaiting(client: pg.Client): Promise<void> {
  await waiting(client)
  await client.query(`select pg_terminate_backend(pid) ${OURS} and wait_event_type = 'Lock'`)
}
