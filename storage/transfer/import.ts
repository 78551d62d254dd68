import type { Conversation, Store, Turn } from '../contract.ts'
import { storableText } from '../storable-text.ts'
import { StoreError } from '../store-error.ts'
import { digestConversation } from './conversation-digest.ts'
import type { Progress } from './copy.ts'
import { createImportReport, type ImportReport } from './import-report.ts'
import { messagesToTurns } from './messages-to-turns.ts'
import { isDeleted, type OwnerColumn, toConversation } from './old-conversation.ts'
import type { OldDatabase } from './old-database.ts'
import { turnPagesOf } from './transfer-pages.ts'

/** The most turns that a store takes at once. */
const TURNS_PER_WRITE = 500

export interface ImportOptions {
  sessionFrom: OwnerColumn
  includeDeleted: boolean
  onProgress?: (progress: Progress) => void
}

/**
 * Takes the conversations of `old` over into `to`; null writes nothing and reports what an empty store would get.
 * A second run changes nothing. Rejects with a `StoreError` that names the old conversation when the store fails.
 */
export async function importDatabase(
  old: OldDatabase,
  to: Store | null,
  { sessionFrom, includeDeleted, onProgress }: ImportOptions
): Promise<ImportReport> {
  const report = createImportReport(old)
  for (const id of old.orphans()) report.unplacedMessage(id, 'its conversation does not exist')

  let done = 0
  for (const { conversation: row, messages } of old.read()) {
    done += 1
    onProgress?.({ phase: 'importing', done, total: old.conversations })
    if (isDeleted(row) && !includeDeleted) {
      report.skippedDeleted(messages.length)
      continue
    }
    const made = toConversation(row, messages, sessionFrom)
    if ('unplaced' in made) {
      report.unplacedConversation(row.id ?? 'without id', made.unplaced, messages.length)
      continue
    }
    const { turns, remarks } = messagesToTurns({ ...made.conversation, oldId: made.oldId }, messages)
    const conversation = {
      ...made.conversation,
      lastSeq: turns.length,
      activeAt: turns.at(-1)?.createdAt ?? made.conversation.createdAt
    }
    report.remark(made, remarks)
    report.written(await write(to, conversation, turns, made.oldId), turns, messages.length, made.oldId)
  }
  return report.result
}

export type Outcome = 'made' | 'completed' | 'unchanged' | 'gone on'

async function write(
  to: Store | null,
  conversation: Conversation,
  turns: Turn[],
  oldId: string
): Promise<Outcome> {
  if (!to) return 'made'
  try {
    const existing = await to.getConversation(conversation.sessionId, conversation.id)
    if (existing && existing.lastSeq > conversation.lastSeq) return 'gone on'
    // What was changed here since stays: a title, a pin.
    const { title, metadata, pinned } = existing ?? conversation
    const wanted = { ...conversation, title: storableText(title), metadata, pinned }
    if (existing && (await isThere(to, existing, wanted, turns))) return 'unchanged'
    await to.importConversation(wanted)
    for (let from = 0; from < turns.length; from += TURNS_PER_WRITE)
      await to.importTurns(turns.slice(from, from + TURNS_PER_WRITE))
    return existing ? 'completed' : 'made'
  } catch (err) {
    if (!(err instanceof StoreError)) throw err
    throw new StoreError(err.code, `conversation ${oldId}: ${err.message}`, err)
  }
}

async function isThere(to: Store, existing: Conversation, wanted: Conversation, turns: Turn[]) {
  const there = await digestConversation(existing, turnPagesOf(to, existing))
  return there.digest === (await digestConversation(wanted, [turns])).digest
}
