import { setTimeout as sleep } from 'node:timers/promises'
import type { ConversationChoice, DeletedBatch, Store } from '../contract.ts'

export type DeletingStore = Pick<Store, 'countConversations' | 'deleteConversations'>

export interface BulkDeletionOptions {
  /** No batch begins when this much time has passed; ms. The first one always does. */
  budgetMs: number
  /** About how many turns go in one transaction. Default: 500. */
  batchTurns?: number
  /** Ends the deletion after the batch under way. */
  signal?: AbortSignal
  /** Hears of each batch as soon as it is durable, also when a later one fails. */
  onBatch?: (batch: DeletedBatch) => void
}

export interface BulkDeletion extends DeletedBatch {
  /** Whether none of the conversations meant was left. */
  complete: boolean
}

const BATCH_TURNS = 500
const MIN_REST_MS = 20
/** How long conversations are waited for that only others, who use them, keep from being deleted. */
const PATIENCE_MS = 5_000

/**
 * Deletes the conversations meant, batch after batch. After each it rests for as long as that took, so that chats get
 * at least half of the store. Rejects with `StoreError`; what was deleted before that stays deleted.
 */
export async function deleteInBatches(
  store: DeletingStore,
  which: ConversationChoice,
  { budgetMs, batchTurns = BATCH_TURNS, signal, onBatch }: BulkDeletionOptions
): Promise<BulkDeletion> {
  const deleted = { conversations: 0, turns: 0 }
  const startedAt = performance.now()
  let progressAt = startedAt
  while (!signal?.aborted) {
    const batchAt = performance.now()
    const batch = await store.deleteConversations(which, batchTurns)
    const now = performance.now()
    if (batch.conversations > 0) {
      deleted.conversations += batch.conversations
      deleted.turns += batch.turns
      progressAt = now
      onBatch?.(batch)
    } else if ((await store.countConversations(which, 1)) === 0) {
      return { ...deleted, complete: true }
    } else if (now - progressAt >= PATIENCE_MS) break
    if (now - startedAt >= budgetMs) break
    // An aborted rest is over; the loop then ends.
    await sleep(Math.max(now - batchAt, MIN_REST_MS), undefined, { signal }).catch(() => {})
  }
  return { ...deleted, complete: false }
}
