import { type SqlBool, sql } from 'kysely'
import type { ByteBound, PageOfTurns } from '../../contract.ts'
import { MissingPartError } from '../media.ts'
import { addMediaBytes, toTurns, untilWhole } from './media.ts'
import { type Db, SHORT_COLUMNS, TURN_COLUMNS, type TurnRow } from './tables.ts'

/** A turn's row, and how much content it has without media. */
export interface SizedRow extends TurnRow {
  bytes: number
}

/** Rows are found in portions of at least so many where only some of them are wanted. */
const MIN_ROWS = 50
/** In which a row has its content. */
const TEXTS = 3

const BYTES = sql<number>`coalesce(octet_length(turns.user_text), 0)
  + coalesce(octet_length(turns.assistant_text), 0) + coalesce(octet_length(turns.detail), 0)`.as('bytes')
const NOT_COUNTED = sql<number>`0`.as('bytes')

/**
 * The columns of a `SizedRow`. Each text of more than `share` bytes is left out, and neither database reads it then;
 * null = they are all there, and not counted.
 */
export function sizedColumns(share: number | null) {
  const kept = (name: 'turns.user_text' | 'turns.assistant_text' | 'turns.detail') => {
    const text = sql.ref<string | null>(name)
    return share === null
      ? sql<string | null>`${text}`
      : sql<string | null>`case when octet_length(${text}) <= ${share} then ${text} end`
  }
  return [
    ...SHORT_COLUMNS,
    kept('turns.user_text').as('user_text'),
    kept('turns.assistant_text').as('assistant_text'),
    kept('turns.detail').as('detail'),
    share === null ? NOT_COUNTED : BYTES
  ] as const
}

/**
 * The page of those turns that `read` finds, which is to be one more than `limit` where there are so many. Where
 * none of them has more content than its share of the page, that is the only reading.
 */
export async function readTurnPage(
  db: Db,
  { limit, maxBytes }: ByteBound & { limit: number },
  read: (share: number | null) => Promise<SizedRow[]>
): Promise<PageOfTurns> {
  return await untilWhole(async () => {
    if (maxBytes === undefined) {
      const rows = await read(null)
      return { data: await toTurns(db, rows.slice(0, limit)), hasMore: rows.length > limit }
    }
    const share = Math.floor(maxBytes / Math.max(limit + 1, MIN_ROWS) / TEXTS)
    const rows = await read(share)
    const stored = fitting(rows.slice(0, limit), maxBytes)
    const page = fitting(await addMediaBytes(db, await addContent(db, stored, share)), maxBytes)
    const bytes = page.reduce((sum, row) => sum + row.bytes, 0)
    return { data: await toTurns(db, page), hasMore: rows.length > page.length, bytes }
  })
}

/** The rows that have no more than `maxBytes` together, the first in any case. */
function fitting(rows: SizedRow[], maxBytes: number): SizedRow[] {
  let sum = 0
  const end = rows.findIndex((row, index) => {
    sum += row.bytes
    return index > 0 && sum > maxBytes
  })
  return end === -1 ? rows : rows.slice(0, end)
}

/** Reads whole the rows of which something may have been left out. Each row is of one moment: it may be another by now. */
async function addContent(db: Db, rows: SizedRow[], share: number): Promise<SizedRow[]> {
  const large = rows.filter(({ bytes }) => bytes > share)
  if (large.length === 0) return rows
  const places = large.map((row) => sql`(${row.conversation_id}, cast(${row.seq} as integer))`)
  const isLarge = sql<SqlBool>`(turns.conversation_id, turns.seq) in (values ${sql.join(places)})`
  const read = await db.selectFrom('turns').select(TURN_COLUMNS).where(isLarge).execute()
  const whole = new Map(read.map((row) => [row.id, row]))
  return rows.map((row) => {
    if (row.bytes <= share) return row
    const now = whole.get(row.id)
    if (!now) throw new MissingPartError(`${row.id} is missing`)
    return { ...now, bytes: row.bytes }
  })
}
