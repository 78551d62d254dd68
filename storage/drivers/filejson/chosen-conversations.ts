import type { ConversationChoice, DeletedBatch } from '../../contract.ts'
import { isMeant } from '../conversation-choice.ts'
import { toConversation } from './document.ts'
import type { createFolder, Entry } from './folder.ts'
import type { createKeyedQueue } from './keyed-queue.ts'

export function isChosen({ id, summary, owners }: Entry, which: ConversationChoice): boolean {
  return isMeant(toConversation(id, summary), owners.length > 0, which)
}

/**
 * Deletes a batch of those meant, the oldest first, each as soon as nothing else is done to it. Rejects when none
 * could be deleted; where some could, the next call meets the error again.
 */
export async function deleteChosen(
  which: ConversationChoice,
  maxTurns: number,
  folder: ReturnType<typeof createFolder>,
  queue: ReturnType<typeof createKeyedQueue>
): Promise<DeletedBatch> {
  const deleted = { conversations: 0, turns: 0 }
  const found = (await folder.scan())
    .filter((entry) => isChosen(entry, which))
    .sort((a, b) => a.summary.active_at - b.summary.active_at || (a.id < b.id ? -1 : 1))

  async function remove(id: string): Promise<void> {
    const document = await folder.load(id)
    const owners = document?.turns.flatMap(({ owner }) => owner ?? []) ?? []
    // It may have changed while others were deleted, or while this waited for its turn.
    if (!document || !isMeant(toConversation(id, document), owners.length > 0, which)) return
    await folder.remove(id)
    deleted.conversations += 1
    deleted.turns += document.turns.length
  }

  try {
    let size = 0
    for (const { id, summary } of found) {
      size += Math.max(summary.last_seq, 1)
      if (deleted.conversations > 0 && size > maxTurns) break
      await queue.run(id, () => remove(id))
    }
  } catch (err) {
    if (deleted.conversations === 0) throw err
  }
  return deleted
}
