import type { Turn } from '../../contract.ts'
import { StoreError } from '../../store-error.ts'
import { type Media, MissingMediaError, mediaIn } from '../media.ts'
import type { SqlDialect } from './dialect.ts'
import { type Db, type TurnRow, toTurn } from './tables.ts'

/** A statement takes no more than 32,766 parameters in SQLite and 65,535 in Postgres, and a body may look like more. */
const PORTION = 1_000

function portionsOf(hashes: Iterable<string>): string[][] {
  const all = [...hashes]
  return Array.from({ length: Math.ceil(all.length / PORTION) }, (_, i) =>
    all.slice(i * PORTION, (i + 1) * PORTION)
  )
}

/** A turn may be changed between the reading of its row and of its media. */
const MAX_READS = 3

/** Only for who has the conversation locked: what is there already might be swept away. */
export async function keepMedia(db: Db, conversationId: string, media: Media): Promise<void> {
  if (media.size === 0) return
  const kept = new Set<string>()
  for (const hashes of portionsOf(media.keys())) {
    const known = await db
      .selectFrom('media')
      .select('hash')
      .where('conversation_id', '=', conversationId)
      .where('hash', 'in', hashes)
      .execute()
    for (const { hash } of known) kept.add(hash)
  }
  for (const [hash, data] of media) {
    if (kept.has(hash)) continue
    await db
      .insertInto('media')
      // As JSON, because the text may be one that not every database can hold.
      .values({ conversation_id: conversationId, hash, data: JSON.stringify(data) })
      .execute()
  }
}

/** Deletes, of a conversation that is locked, what none of its turns refers to any more. */
export async function sweepMedia(db: Db, dialect: SqlDialect, conversationId: string): Promise<void> {
  const kept = await db
    .selectFrom('media')
    .select('hash')
    .where('conversation_id', '=', conversationId)
    .execute()
  if (kept.length === 0) return
  const details = await db
    .selectFrom('turns')
    .select('detail')
    .where('conversation_id', '=', conversationId)
    .where(dialect.contains('detail', 'media:sha256:'))
    .execute()
  const used = new Set(details.flatMap(({ detail }) => mediaIn(detail ?? '')))
  for (const { hash } of kept) {
    if (used.has(hash)) continue
    await db
      .deleteFrom('media')
      .where('conversation_id', '=', conversationId)
      .where('hash', '=', hash)
      .execute()
  }
}

/** The turns that `read` finds, with their media. */
export async function readTurns(db: Db, read: () => Promise<TurnRow[]>): Promise<Turn[]> {
  for (let reads = 1; ; reads += 1) {
    try {
      const rows = await read()
      const media = await mediaOf(db, rows)
      return rows.map((row) => toTurn(row, media.get(row.conversation_id) ?? new Map()))
    } catch (cause) {
      if (!(cause instanceof MissingMediaError)) throw cause
      if (reads === MAX_READS) throw new StoreError('STORE_CORRUPT', cause.message, cause)
    }
  }
}

async function mediaOf(db: Db, rows: TurnRow[]): Promise<Map<string, Media>> {
  const media = new Map<string, Media>()
  const hashes = new Set(rows.flatMap(({ detail }) => (detail === null ? [] : mediaIn(detail))))
  if (hashes.size === 0) return media
  const conversations = [...new Set(rows.map((row) => row.conversation_id))]
  for (const portion of portionsOf(hashes)) {
    const found = await db
      .selectFrom('media')
      .selectAll()
      .where('conversation_id', 'in', conversations)
      .where('hash', 'in', portion)
      .execute()
    for (const { conversation_id, hash, data } of found) {
      const ofConversation = media.get(conversation_id) ?? new Map()
      media.set(conversation_id, ofConversation.set(hash, JSON.parse(data)))
    }
  }
  return media
}
