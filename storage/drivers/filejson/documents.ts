import { StoreError } from '../../store-error.ts'
import type { ConversationDocument } from './document.ts'
import type { Folder } from './folder.ts'
import { createKeyedQueue } from './keyed-queue.ts'
import type { FoundTurn } from './session-turns.ts'

/** What becomes of a document, null leaves it as it is; and what the change comes to. */
type Change<T> = (current: ConversationDocument | null) => { next: ConversationDocument | null; result: T }

/** The documents of a folder: each is changed by one at a time, and what fails is a `StoreError`. */
export function createDocuments(folder: Folder) {
  const queue = createKeyedQueue()
  const counters = { transactions: 0, writes: 0 }
  let closed = false

  /** A write has happened. */
  function count(): void {
    counters.transactions += 1
    counters.writes += 1
  }

  async function guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (closed) throw new StoreError('STORE_UNAVAILABLE', 'the store is closed')
      return await work()
    } catch (err) {
      if (err instanceof StoreError) throw err
      const reason = err instanceof Error && 'code' in err ? String(err.code) : String(err)
      throw new StoreError('STORE_UNAVAILABLE', `cannot use the folder (${reason})`, err)
    }
  }

  /** Replaces the conversation's document by what `change` makes of it. */
  function rewrite<T>(id: string, change: Change<T>): Promise<{ written: boolean; result: T }> {
    return queue.run(id, async () => {
      const { next, result } = change(await folder.load(id))
      if (next !== null) await folder.save(id, next)
      return { written: next !== null, result }
    })
  }

  /** The session's document, or null. */
  async function find(sessionId: string, id: string): Promise<ConversationDocument | null> {
    const document = await folder.load(id)
    return document?.session_id === sessionId ? document : null
  }

  return {
    counters,
    queue,
    count,
    guard,
    rewrite,
    find,

    /** `rewrite` as a write of its own. */
    update<T>(id: string, change: Change<T>): Promise<T> {
      return guard(async () => {
        const { written, result } = await rewrite(id, change)
        if (written) count()
        return result
      })
    },

    async turnsOf(sessionId: string): Promise<FoundTurn[]> {
      const found: FoundTurn[] = []
      for (const { id, summary } of await folder.scan()) {
        const document = summary.session_id === sessionId ? await find(sessionId, id) : null
        if (document) found.push(...document.turns.map((turn) => ({ conversationId: id, document, turn })))
      }
      return found
    },

    /** Refuses further work and waits for that under way. False when it was called before. */
    async close(): Promise<boolean> {
      if (closed) return false
      closed = true
      await queue.idle()
      return true
    }
  }
}
