import { type SelectQueryBuilder, sql } from 'kysely'
import type { Turn } from '../../contract.ts'
import { StoreError } from '../../store-error.ts'
import { type Media, MissingPartError, mediaIn, REFERENCE_BYTES } from '../media.ts'
import type { SqlDialect } from './dialect.ts'
import { type Db, type Tables, type TurnRow, toTurn } from './tables.ts'

type MediaQuery = SelectQueryBuilder<Tables, 'media', Pick<Tables['media'], 'conversation_id' | 'hash'>>

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
  for (const hashes of portionsOf([...media.keys()].filter((hash) => !kept.has(hash)))) {
    const rows = hashes.map((hash) => ({
      conversation_id: conversationId,
      hash,
      // As JSON, because the text may be one that not every database can hold.
      data: JSON.stringify(media.get(hash))
    }))
    await db.insertInto('media').values(rows).execute()
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
  const unused = kept.map(({ hash }) => hash).filter((hash) => !used.has(hash))
  for (const hashes of portionsOf(unused)) {
    await db
      .deleteFrom('media')
      .where('conversation_id', '=', conversationId)
      .where('hash', 'in', hashes)
      .execute()
  }
}

/** The turns that `read` finds, with their media. */
export async function readTurns(db: Db, read: () => Promise<TurnRow[]>): Promise<Turn[]> {
  return await untilWhole(async () => await toTurns(db, await read()))
}

/** Does `read` again when a part was missing. */
export async function untilWhole<T>(read: () => Promise<T>): Promise<T> {
  for (let reads = 1; ; reads += 1) {
    try {
      return await read()
    } catch (cause) {
      if (!(cause instanceof MissingPartError)) throw cause
      if (reads === MAX_READS) throw new StoreError('STORE_CORRUPT', cause.message, cause)
    }
  }
}

/** The turns with their media. Rejects with `MissingPartError` when some of it is not there. */
export async function toTurns(db: Db, rows: TurnRow[]): Promise<Turn[]> {
  const media = new Map<string, Media>()
  const found = await mediaOf(db, rows, (listed) => listed.select('data'))
  for (const { conversation_id, hash, data } of found) {
    const ofConversation = media.get(conversation_id) ?? new Map()
    media.set(conversation_id, ofConversation.set(hash, JSON.parse(data)))
  }
  return rows.map((row) => toTurn(row, media.get(row.conversation_id) ?? new Map()))
}

/** The rows, with the bytes that their media adds when it is put back, each time that it is referred to. */
export async function addMediaBytes<R extends TurnRow & { bytes: number }>(db: Db, rows: R[]): Promise<R[]> {
  const found = await mediaOf(db, rows, (listed) => listed.select(sql<number>`octet_length(data)`.as('size')))
  if (found.length === 0) return rows
  const sizes = new Map(
    found.map((row) => [`${row.conversation_id} ${row.hash}`, row.size - REFERENCE_BYTES])
  )
  return rows.map((row) => {
    const added = mediaIn(row.detail ?? '').map((hash) => sizes.get(`${row.conversation_id} ${hash}`) ?? 0)
    return { ...row, bytes: added.reduce((sum, size) => sum + size, row.bytes) }
  })
}

/** Of the media that the rows refer to, what `select` asks for. */
async function mediaOf<T>(
  db: Db,
  rows: TurnRow[],
  select: (listed: MediaQuery) => { execute(): Promise<T[]> }
) {
  const hashes = new Set(rows.flatMap(({ detail }) => (detail === null ? [] : mediaIn(detail))))
  const conversations = [...new Set(rows.map((row) => row.conversation_id))]
  const found: T[] = []
  for (const portion of portionsOf(hashes)) {
    const listed = db
      .selectFrom('media')
      .select(['conversation_id', 'hash'])
      .where('conversation_id', 'in', conversations)
      .where('hash', 'in', portion)
    found.push(...(await select(listed).execute()))
  }
  return found
}
