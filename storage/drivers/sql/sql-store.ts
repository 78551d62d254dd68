import type { Store, StoreCounters } from '../../contract.ts'
import {
  deleteConversation,
  getConversation,
  insertConversation,
  listConversations,
  updateConversation
} from './conversations.ts'
import { advanceBeat, listBeats, recoverTurns } from './owners.ts'
import { type Db, toConversation } from './tables.ts'
import { exportConversations, importConversation, importTurns } from './transfer.ts'
import { beginTurn, endTurn, listTurns, supersede } from './turns.ts'

/** What a database brings to the SQL store: how it reads, writes, migrates and closes. */
export interface SqlEngine {
  counters: StoreCounters
  migrate(): Promise<void>
  /** Runs a query outside any transaction. Rejects with `StoreError` alone. */
  read<T>(query: (db: Db) => Promise<T>): Promise<T>
  /** Runs one writing statement and resolves once it is durable. Rejects with `StoreError` alone. */
  write<T>(statement: (db: Db) => Promise<T>): Promise<T>
  /** The same for several statements in one transaction. May run `work` again when it was undone. */
  transact<T>(work: (db: Db) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** The store over SQL, the same for every database that Kysely speaks to. */
export function sqlStore(engine: SqlEngine): Store {
  return {
    counters: engine.counters,
    initialize: () => engine.migrate(),
    close: () => engine.close(),
    ping: () =>
      engine.read(async (db) => {
        await db.selectFrom('owners').select('owner').limit(1).execute()
      }),

    createConversation: (conversation) =>
      engine.write(async (db) => toConversation(await insertConversation(db, conversation, 0))),

    getConversation: (sessionId, id) => engine.read((db) => getConversation(db, sessionId, id)),

    listConversations: (sessionId, page) => engine.read((db) => listConversations(db, sessionId, page)),

    updateConversation: (sessionId, id, changes) =>
      engine.write((db) => updateConversation(db, sessionId, id, changes)),

    deleteConversation: (sessionId, id) => engine.write((db) => deleteConversation(db, sessionId, id)),

    beginTurn: (turn) => engine.transact((db) => beginTurn(db, turn)),

    finishTurn: (turn, ending) => {
      const replaces = ending.status === 'completed' && turn.parentSeq < turn.seq - 1
      if (!replaces) return engine.write((db) => endTurn(db, turn, ending))
      return engine.transact(async (db) => {
        const ended = await endTurn(db, turn, ending)
        if (ended) await supersede(db, turn)
        return ended
      })
    },

    listTurns: (sessionId, id, page) => engine.read((db) => listTurns(db, sessionId, id, page)),

    async beat(owner) {
      await engine.write((db) => advanceBeat(db, owner))
      return engine.read((db) => listBeats(db))
    },

    recoverTurns: (owner) => engine.transact((db) => recoverTurns(db, owner)),

    exportConversations: (after, limit) => engine.read((db) => exportConversations(db, after, limit)),
    importConversation: (conversation) => engine.write((db) => importConversation(db, conversation)),
    importTurns: (turns) => engine.transact((db) => importTurns(db, turns))
  }
}
