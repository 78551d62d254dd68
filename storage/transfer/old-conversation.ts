import type { Conversation } from '../contract.ts'
import { isObject, parseStorableJson } from '../json-value.ts'
import { storableText } from '../storable-text.ts'
import { importedId } from './imported-id.ts'
import { readInstant } from './instant.ts'
import type { OldConversation, OldMessage } from './old-database.ts'

export type OwnerColumn = 'session_id' | 'user_id'

/** The limits of a conversation's metadata in the API. One pair is the old id. */
const MAX_PAIRS = 15
const MAX_KEY = 64
const MAX_VALUE = 512

export interface MadeConversation {
  conversation: Conversation
  oldId: string
  /** Whether its owner is from the other column. */
  otherOwner: boolean
  /** Whether its `created_at` could not be read. */
  noInstant: boolean
  /** How many entries of its metadata have no place; null when its metadata is no JSON object. */
  lostMetadata: number | null
}

export function isDeleted({ deletedAt }: OldConversation): boolean {
  return deletedAt !== null && deletedAt !== '' && Number(deletedAt) !== 0
}

/** The conversation without its turns, or why it cannot be taken over. */
export function toConversation(
  row: OldConversation,
  messages: OldMessage[],
  ownerColumn: OwnerColumn
): MadeConversation | { unplaced: string } {
  if (!row.id) return { unplaced: 'it has no id' }
  const userId = row.userId || row.sessionUserId
  const [first, other] = ownerColumn === 'session_id' ? [row.sessionId, userId] : [userId, row.sessionId]
  const owner = first || other
  if (!owner) return { unplaced: 'it has neither session_id nor user_id' }

  const own = readInstant(row.createdAt)
  const createdAt = own ?? firstInstant(messages)
  const { metadata, pinned, lost } = readMetadata(row.metadata)
  return {
    conversation: {
      id: importedId('conv', row.id, createdAt),
      sessionId: storableText(owner),
      title: row.title || null,
      model: row.model || null,
      metadata: { ...metadata, imported_from: row.id },
      pinned,
      lastSeq: 0,
      createdAt,
      activeAt: createdAt
    },
    oldId: row.id,
    otherOwner: !first,
    noInstant: own === null,
    lostMetadata: lost
  }
}

/** The first instant among the messages that can be read; 0 when there is none, so that a second run makes the same. */
function firstInstant(messages: OldMessage[]): number {
  for (const { createdAt } of messages) {
    const instant = readInstant(createdAt)
    if (instant !== null) return instant
  }
  return 0
}

function readMetadata(json: string | null) {
  const value = json?.trim() ? parseStorableJson(json) : {}
  const metadata: Record<string, string> = {}
  if (value === null) return { metadata, pinned: false, lost: 0 }
  if (!isObject(value)) return { metadata, pinned: false, lost: null }
  const { pinned, ...others } = value
  let lost = 0
  for (const [key, entry] of Object.entries(others)) {
    const text = typeof entry === 'string' ? entry : JSON.stringify(entry)
    const fits = key.length <= MAX_KEY && text.length <= MAX_VALUE && Object.keys(metadata).length < MAX_PAIRS
    if (fits && key !== 'imported_from' && key !== '__proto__') metadata[key] = text
    else lost += 1
  }
  return { metadata, pinned: pinned === true || pinned === 1 || pinned === 'true' || pinned === '1', lost }
}
