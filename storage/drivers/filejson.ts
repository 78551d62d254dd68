import path from 'node:path'
import type { PageOfTurns, Store } from '../contract.ts'
import type { StoreOptions } from '../open-store.ts'
import { storableText } from '../storable-text.ts'
import { StoreError } from '../store-error.ts'
import { pageOfTurns } from '../turn-bytes.ts'
import { createApiKeys } from './filejson/api-keys.ts'
import { beginTurn } from './filejson/begin-turn.ts'
import {
  newDocument,
  withAddedTurns,
  withChange,
  withEnding,
  withImportedTurns,
  withLostTurns
} from './filejson/changes.ts'
import { deleteChosen, isChosen } from './filejson/chosen-conversations.ts'
import { conversationPage } from './filejson/conversation-page.ts'
import { fromConversation, toConversation, toTurn } from './filejson/document.ts'
import { mediaOf } from './filejson/document-media.ts'
import { createDocuments } from './filejson/documents.ts'
import { createFolder, type Entry } from './filejson/folder.ts'
import { lockFolder } from './filejson/folder-lock.ts'
import { foundMarks, markPage } from './filejson/marks.ts'
import { createOwners } from './filejson/owners.ts'
import { createSecret } from './filejson/secret.ts'
import { bestOf, fullTurn, isWanted, sessionTurnPage, turnCounts } from './filejson/session-turns.ts'

/** The queue's own names, which are no conversation's ids: the file of owners, requests that may have been made before, API keys. */
const OWNERS = 'owners'
const REQUESTS = 'requests'
const KEYS = 'keys'

/**
 * One readable JSON file per conversation under `location`. For one process, in development: files may be
 * opened in an editor, copied in and deleted by hand.
 */
export function filejsonStore(location: string, { report }: StoreOptions): Store {
  // It would be the folder that the process was started in.
  if (location.trim() === '') throw new StoreError('STORE_UNAVAILABLE', 'the URL names no folder')
  const root = path.resolve(location)
  const folder = createFolder(root, report)
  const owners = createOwners(root, report)
  const keys = createApiKeys(root, report)
  const secret = createSecret(root, report)
  const documents = createDocuments(folder)
  const { counters, queue, count, guard, rewrite, update, find, turnsOf } = documents
  let unlock: (() => void) | undefined
  let taking: Promise<void> | undefined

  /** Makes this process the folder's only user. What others left in it is looked at after that, never before. */
  async function take(): Promise<void> {
    try {
      await folder.create()
      unlock = lockFolder(root)
      await folder.clear()
      await owners.load()
    } catch (err) {
      unlock?.()
      taking = undefined
      throw err
    }
  }

  async function ownEntries(sessionId: string): Promise<Entry[]> {
    return (await folder.scan()).filter(({ summary }) => summary.session_id === sessionId)
  }

  async function findExternal(sessionId: string, key: string): Promise<string | null> {
    const own = await ownEntries(sessionId)
    return own.find(({ summary }) => summary.external_key === key)?.id ?? null
  }

  return {
    counters,

    keys: {
      prepare: () => guard(() => keys.prepare()),
      list: () => guard(() => keys.list()),
      find: (id) => guard(() => keys.find(id)),
      add: (key) =>
        guard(async () => {
          await queue.run(KEYS, () => keys.add(key))
          count()
        }),
      remove: (id) =>
        guard(async () => {
          const removed = await queue.run(KEYS, () => keys.remove(id))
          count()
          return removed
        })
    },

    initialize: () =>
      guard(async () => {
        taking ??= take()
        await taking
        await folder.scan()
      }),

    ping: () => guard(() => folder.check()),

    createConversation: (conversation, turns = []) =>
      update(conversation.id, () => {
        const { next } = withAddedTurns(newDocument(conversation), conversation.id, turns, null)
        return { next, result: toConversation(conversation.id, next) }
      }),

    getConversation: (sessionId, id) =>
      guard(async () => {
        const document = await find(sessionId, id)
        return document && toConversation(id, document)
      }),

    listConversations: (sessionId, page) =>
      guard(async () => {
        const own = await ownEntries(sessionId)
        return await conversationPage(own, page, (id) => find(sessionId, id))
      }),

    updateConversation: (sessionId, id, { title, metadata, pinned }) =>
      update(id, (current) => {
        if (current?.session_id !== sessionId) return { next: null, result: null }
        const next = {
          ...current,
          ...(title !== undefined && { title: storableText(title) }),
          ...(metadata !== undefined && { metadata }),
          ...(pinned !== undefined && { pinned })
        }
        return { next, result: toConversation(id, next) }
      }),

    deleteConversation: (sessionId, id) =>
      guard(() =>
        queue.run(id, async () => {
          if (!(await find(sessionId, id))) return false
          await folder.remove(id)
          count()
          return true
        })
      ),

    countConversations: (which, upTo) =>
      guard(async () =>
        Math.min((await folder.scan()).filter((entry) => isChosen(entry, which)).length, upTo)
      ),

    deleteConversations: (which, maxTurns) =>
      guard(async () => {
        const batch = await deleteChosen(which, maxTurns, folder, queue)
        if (batch.conversations > 0) count()
        return batch
      }),

    beginTurn: (turn) =>
      guard(async () => {
        const isNew =
          turn.idempotencyKey === null && turn.retrySince === null && typeof turn.externalKey !== 'string'
        const begin = () => beginTurn(turn, { turnsOf, rewrite, findExternal })
        const begun = await (isNew ? begin() : queue.run(REQUESTS, begin))
        if (begun?.outcome === 'begun') count()
        return begun
      }),

    finishTurn: (turn, ending) =>
      update(turn.conversationId, (current) => {
        const next = current && withEnding(current, turn, ending)
        return { next, result: next !== null }
      }),

    addTurns: (sessionId, id, turns, maxSeq) =>
      update(id, (current) =>
        current?.session_id === sessionId
          ? withAddedTurns(current, id, turns, maxSeq)
          : { next: null, result: null }
      ),

    changeTurn: (sessionId, turn, change) =>
      update(turn.conversationId, (current) => {
        const next = current?.session_id === sessionId ? withChange(current, turn, change) : null
        return { next, result: next !== null }
      }),

    findTurn: (sessionId, by) =>
      guard(async () => {
        const found = bestOf((await turnsOf(sessionId)).filter(({ turn }) => isWanted(turn, by)))
        return found && fullTurn(found)
      }),

    listSessionTurns: (sessionId, page) => guard(async () => sessionTurnPage(await turnsOf(sessionId), page)),

    countTurns: (sessionId, since) => guard(async () => turnCounts(await turnsOf(sessionId), since)),

    listTurns: (sessionId, id, page) =>
      guard(async (): Promise<PageOfTurns | null> => {
        const { order, afterSeq, beforeSeq, includeSuperseded, withoutFailed } = page
        const document = await find(sessionId, id)
        if (!document) return null
        const rest = document.turns
          .filter(({ seq }) => seq > (afterSeq ?? 0) && seq < (beforeSeq ?? Number.POSITIVE_INFINITY))
          .filter(({ superseded }) => includeSuperseded || !superseded)
          .filter(({ status }) => !withoutFailed || status !== 'failed')
          .sort((a, b) => (order === 'asc' ? a.seq - b.seq : b.seq - a.seq))
        const media = mediaOf(document)
        return pageOfTurns(rest, page, (turn) => toTurn(id, turn, media))
      }),

    findMarks: (sessionId, sought) => guard(async () => foundMarks(await ownEntries(sessionId), sought)),

    listMarks: (sessionId, id, page) =>
      guard(async () => {
        const document = await find(sessionId, id)
        return document ? markPage(id, document, page) : []
      }),

    findExternal: (sessionId, key) => guard(() => findExternal(sessionId, key)),

    secret: () => guard(secret),

    beat: (owner) =>
      guard(async () => {
        const beats = await queue.run(OWNERS, () => owners.beat(owner))
        count()
        const known = new Set(beats.map((row) => row.owner))
        const running = new Set((await folder.scan()).flatMap((entry) => entry.owners))
        const silent = [...running].filter((name) => !known.has(name))
        return [...beats, ...silent.map((name) => ({ owner: name, beat: 0 }))]
      }),

    recoverTurns: (owner) =>
      guard(async () => {
        let ended = 0
        for (const entry of await folder.scan()) {
          if (entry.owners.includes(owner))
            ended += (await rewrite(entry.id, (document) => withLostTurns(document, owner))).result
        }
        await queue.run(OWNERS, () => owners.forget(owner))
        count()
        return ended
      }),

    exportConversations: (after, limit) =>
      guard(async () =>
        (await folder.scan())
          .filter(({ id }) => after === null || id > after)
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .slice(0, limit)
          .map(({ id, summary }) => toConversation(id, summary))
      ),

    importConversation: (conversation) =>
      update(conversation.id, (current) => {
        // A key of the session before might be one of this session too.
        const key = current?.session_id === conversation.sessionId ? current.external_key : undefined
        const next = {
          ...fromConversation(conversation),
          ...(key !== undefined && { external_key: key }),
          turns: current?.turns ?? [],
          ...(current?.media && { media: current.media })
        }
        return { next, result: undefined }
      }),

    async importTurns(turns) {
      const [first] = turns
      if (!first) return
      await update(first.conversationId, (current) => {
        if (!current) throw new StoreError('STORE_CORRUPT', 'turns without their conversation')
        return { next: withImportedTurns(current, turns), result: undefined }
      })
    },

    async close() {
      if (await documents.close()) unlock?.()
    }
  }
}
