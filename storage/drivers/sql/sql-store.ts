import type { Store, StoreCounters } from '../../contract.ts'
import { namingTurn } from '../uncertain-turn.ts'
import { addKey, findKey, listKeys, removeKey } from './api-keys.ts'
import { beginTurn } from './begin-turn.ts'
import { addTurns, changeTurn, insertAdded } from './change-turns.ts'
import { countConversations, deleteConversations } from './chosen-conversations.ts'
import { listConversations } from './conversation-pages.ts'
import {
  deleteConversation,
  getConversation,
  insertConversation,
  updateConversation
} from './conversations.ts'
import type { SqlDialect } from './dialect.ts'
import { finishTurn } from './end-turn.ts'
import { findExternal, findMarks, listMarks, readSecret } from './marks.ts'
import { advanceBeat, listBeats, recoverTurns } from './owners.ts'
import type { Db } from './tables.ts'
import { exportConversations, importConversation, importTurns } from './transfer.ts'
import { countTurns } from './turn-counts.ts'
import { findTurn, listSessionTurns, listTurns } from './turn-pages.ts'

/** What a database brings to the SQL store: how it reads, writes, migrates and closes. */
export interface SqlEngine {
  counters: StoreCounters
  dialect: SqlDialect
  migrate(): Promise<void>
  /** Runs a query outside any transaction. Rejects with `StoreError` alone. */
  read<T>(query: (db: Db) => Promise<T>): Promise<T>
  /** Runs one writing statement and resolves once it is durable. Rejects with `StoreError` alone. */
  write<T>(statement: (db: Db) => Promise<T>): Promise<T>
  /** The same for several statements in one transaction. May run `work` again when it was undone. */
  transact<T>(work: (db: Db) => Promise<T>): Promise<T>
  /** The same for what may wait some milliseconds for others to share the transaction with. */
  transactPatiently<T>(work: (db: Db) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** The store over SQL, the same for every database that Kysely speaks to. */
export function sqlStore(engine: SqlEngine): Store {
  const { dialect } = engine
  return {
    counters: engine.counters,
    keys: {
      prepare: () => engine.migrate(),
      add: (key) => engine.write((db) => addKey(db, key)),
      list: () => engine.read(listKeys),
      find: (id) => engine.read((db) => findKey(db, id)),
      remove: (id) => engine.write((db) => removeKey(db, id))
    },
    initialize: () => engine.migrate(),
    close: () => engine.close(),
    ping: () =>
      engine.read(async (db) => {
        await db.selectFrom('owners').select('owner').limit(1).execute()
      }),

    createConversation: (conversation, turns = []) =>
      engine.transact(async (db) => {
        const { id, sessionId, createdAt } = conversation
        const counted = { lastSeq: turns.length, activeAt: turns.at(-1)?.createdAt ?? createdAt }
        const made = await insertConversation(db, dialect, { ...conversation, ...counted })
        await insertAdded(db, dialect, sessionId, id, turns, 0)
        return made
      }),

    getConversation: (sessionId, id) => engine.read((db) => getConversation(db, sessionId, id)),

    listConversations: (sessionId, page) =>
      engine.read((db) => listConversations(db, dialect, sessionId, page)),

    updateConversation: (sessionId, id, changes) =>
      engine.transact((db) => updateConversation(db, dialect, sessionId, id, changes)),

    deleteConversation: (sessionId, id) => engine.write((db) => deleteConversation(db, sessionId, id)),

    countConversations: (which, upTo) => engine.read((db) => countConversations(db, dialect, which, upTo)),

    deleteConversations: (which, maxTurns) =>
      engine.transact((db) => deleteConversations(db, dialect, which, maxTurns)),

    async beginTurn(turn) {
      const inOne = dialect.inOneStatement?.begin(turn)
      const begun = inOne && (await engine.write((db) => inOne(db, dialect)))
      if (begun) return { outcome: 'begun', turn: begun }
      return await namingTurn((hold) =>
        engine.transact(async (db) => {
          const begun = await beginTurn(db, dialect, turn)
          hold(begun)
          return begun
        })
      )
    },

    finishTurn(turn, ending) {
      const inOne = dialect.inOneStatement?.finish(turn, ending)
      if (inOne) return engine.write((db) => inOne(db, dialect))
      return engine.transactPatiently((db) => finishTurn(db, dialect, turn, ending))
    },

    addTurns: (sessionId, id, turns, maxSeq) =>
      engine.transact((db) => addTurns(db, dialect, sessionId, id, turns, maxSeq)),

    changeTurn: (sessionId, turn, change) =>
      engine.transact((db) => changeTurn(db, dialect, sessionId, turn, change)),

    findTurn: (sessionId, by) => engine.read((db) => findTurn(db, sessionId, by)),

    listSessionTurns: (sessionId, page) =>
      engine.read((db) => listSessionTurns(db, dialect, sessionId, page)),

    countTurns: (sessionId, since) => engine.read((db) => countTurns(db, sessionId, since)),

    listTurns: (sessionId, id, page) => engine.read((db) => listTurns(db, sessionId, id, page)),

    findMarks: (sessionId, sought) => engine.read((db) => findMarks(db, dialect, sessionId, sought)),
    listMarks: (sessionId, id, page) => engine.read((db) => listMarks(db, sessionId, id, page)),
    findExternal: (sessionId, key) => engine.read((db) => findExternal(db, sessionId, key)),
    secret: () => engine.read(readSecret),

    async beat(owner) {
      await engine.write((db) => advanceBeat(db, owner))
      return engine.read((db) => listBeats(db))
    },

    recoverTurns: (owner) => engine.transact((db) => recoverTurns(db, dialect, owner)),

    exportConversations: (after, limit) => engine.read((db) => exportConversations(db, after, limit)),
    importConversation: (conversation) =>
      engine.transact((db) => importConversation(db, dialect, conversation)),
    importTurns: (turns) => engine.transact((db) => importTurns(db, dialect, turns))
  }
}
