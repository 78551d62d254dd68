import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'
import type { StoreConnections } from '../contract.ts'
import { statementName } from './sql/prepared.ts'

export const MAX_CONNECTIONS = 10
/** Bounds both connecting and waiting for a free connection: a new chat learns soon that there is no store. */
const CONNECT_TIMEOUT_MS = 900
const QUERY_TIMEOUT_MS = 10_000
const INT8 = 20
/** SQLSTATEs of a named statement that is not where its name is, or is there already: a pooler stands in between. */
const MISNAMED = new Set(['26000', '42P05'])
/** The same of one whose tables have changed since it was named. */
const REPLANNED = '0A000'

/** What a query that broke had been, by its error. */
const broken = new WeakMap<object, { text: string; timedOut: boolean }>()

/** Whether a connection broke while a query was under way: the query may have been carried out. */
export function isBroken(err: unknown): boolean {
  return lookUp(err) !== undefined
}

/** Whether it broke at once. Of a pool's idle connections all may be dead, so others may have to be tried. */
export function isDead(err: unknown): boolean {
  return lookUp(err)?.timedOut === false
}

/** Whether the server ended the connection itself, and said so in place of what the query was to give: it undid it. */
export function isEnded(err: unknown): boolean {
  return isDead(err) && err instanceof pg.DatabaseError
}

/** Whether it was dead when a transaction was to begin on it: nothing has happened yet. */
export function isUnstarted(err: unknown): boolean {
  return isDead(err) && lookUp(err)?.text === 'begin'
}

function lookUp(err: unknown) {
  return typeof err === 'object' && err !== null ? broken.get(err) : undefined
}

/** What failed for its name alone. */
const misnamed = new WeakSet<object>()

/** Whether a statement failed because of its name, and so did nothing. It has none when it is tried again. */
export function isMisnamed(err: unknown): boolean {
  return typeof err === 'object' && err !== null && misnamed.has(err)
}

/** A pool of connections whose 64-bit integers arrive as numbers. */
export function createPostgresPool(
  connectionString: string,
  queryTimeoutMs: number | undefined = QUERY_TIMEOUT_MS
): PostgresPool & { connections: StoreConnections } {
  const pool = new pg.Pool({
    connectionString,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    application_name: 'turnkeeper',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')
    } as pg.CustomTypesConfig
  })
  // Without a listener, an idle connection that breaks would end the process. The pool replaces it.
  pool.on('error', () => {})

  const naming = { on: true }
  const wrapped = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  const connections: StoreConnections = {
    get open() {
      return pool.totalCount
    },
    get idle() {
      return pool.idleCount
    },
    get waiting() {
      return pool.waitingCount
    }
  }
  return {
    connections,
    options: pool.options,
    async connect() {
      const client = await pool.connect()
      const known = wrapped.get(client) ?? discardWhenBroken(client, naming)
      wrapped.set(client, known)
      return known
    },
    end: () => pool.end()
  } as PostgresPool & { connections: StoreConnections }
}

/**
 * A connection that names the statements which are used again, as long as nothing objects, so that the server keeps
 * their plans. A connection whose query failed without an answer of the server, by a timeout for one, may still be busy
 * with it. It is closed rather than handed to the next user.
 */
function discardWhenBroken(client: pg.PoolClient, naming: { on: boolean }): PostgresPoolClient {
  let discard = false
  let lost: unknown
  client.on('error', () => {
    discard = true
  })
  return {
    async query(text: string, parameters: readonly unknown[]) {
      if (lost !== undefined) throw lost // a rollback would wait for the dead connection as long again
      const sentAt = performance.now()
      const name = naming.on ? statementName(text) : undefined
      try {
        return await client.query({ text, values: [...parameters], ...(name !== undefined && { name }) })
      } catch (err) {
        if (name !== undefined && isAboutName(err)) {
          naming.on = false
          misnamed.add(err as object)
        }
        // Class 57 is the server ending the connection, as it does when it restarts.
        if (!(err instanceof pg.DatabaseError) || err.code?.startsWith('57P')) {
          discard = true
          lost = err
          broken.set(err as object, { text, timedOut: performance.now() - sentAt >= QUERY_TIMEOUT_MS })
        }
        throw err
      }
    },
    release: (unusable?: boolean) => client.release(discard || unusable === true)
  } as unknown as PostgresPoolClient
}

function isAboutName(err: unknown): boolean {
  if (!(err instanceof pg.DatabaseError) || err.code === undefined) return false
  return MISNAMED.has(err.code) || (err.code === REPLANNED && err.message.includes('cached plan'))
}
