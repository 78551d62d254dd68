import { type RawBuilder, sql } from 'kysely'
import type { FoundMark, MarkedTurn, MarkPage, MarksSought } from '../../contract.ts'
import { StoreError } from '../../store-error.ts'
import type { SqlDialect } from './dialect.ts'
import { preparedRead } from './prepared.ts'
import type { Db, Tables } from './tables.ts'

/** Of each mark, how many turns are found. */
const NEWEST = 8

const SLOTS = [
  'tip0',
  'tip1',
  'tip2',
  'tip3',
  'tip4',
  'tip5',
  'asked0',
  'asked1',
  'asked2',
  'asked3',
  'answer0'
] as const
type Slot = (typeof SLOTS)[number]
type Sought = Record<Slot | 'sessionId' | 'conversationId', string | null>

const MARKED_COLUMNS = [
  'conversation_id',
  'seq',
  'parent_seq',
  'status',
  'superseded',
  'asked_mark',
  'tip_mark',
  'answer_mark'
] as const

type MarkedRow = Pick<Tables['turns'], (typeof MARKED_COLUMNS)[number]>
type FoundRow = MarkedRow & Pick<Tables['conversations'], 'last_seq' | 'active_at'>

const finding = (condition: (given: Sought) => RawBuilder<unknown>) =>
  preparedRead<Sought>([...SLOTS, 'sessionId', 'conversationId'])((db, given) => {
    const found = SLOTS.map((slot) => newest(given, slot, condition(given)))
    return inConversations(sql.join(found, sql` union all `)).compile(db)
  })

const findAll = finding(() => sql``)
const findWithin = finding(({ conversationId }) => sql`and conversation_id = ${conversationId}`)

/** Each conversation is looked up by its id: for a join, Postgres may read through all of them. */
const inConversations = (found: RawBuilder<unknown>) => sql<FoundRow>`
  select found.*,
    (select last_seq from conversations where id = found.conversation_id) as last_seq,
    (select active_at from conversations where id = found.conversation_id) as active_at
  from (${found}) as found`

/** A query for the newest turns with the mark in `slot`; without one it finds nothing, and looks nowhere. */
function newest(given: Sought, slot: Slot, condition: RawBuilder<unknown>): RawBuilder<unknown> {
  const column = sql.ref(`${slot.slice(0, -1)}_mark`)
  const columns = sql.join(MARKED_COLUMNS.map((name) => sql.ref(name)))
  return sql`select * from (
    select ${columns} from turns
    where session_id = ${given.sessionId} and ${column} = ${given[slot]} ${condition}
    order by id desc limit ${sql.lit(NEWEST)}) as ${sql.ref(slot)}`
}

export async function findMarks(
  db: Db,
  dialect: SqlDialect,
  sessionId: string,
  { tips, asked, answer, conversationId }: MarksSought
): Promise<FoundMark[]> {
  const find = conversationId === undefined ? findAll : findWithin
  const rows = await find(db, dialect, {
    sessionId,
    conversationId: conversationId ?? null,
    tip0: tips[0] ?? null,
    tip1: tips[1] ?? null,
    tip2: tips[2] ?? null,
    tip3: tips[3] ?? null,
    tip4: tips[4] ?? null,
    tip5: tips[5] ?? null,
    asked0: asked[0] ?? null,
    asked1: asked[1] ?? null,
    asked2: asked[2] ?? null,
    asked3: asked[3] ?? null,
    answer0: answer
  })
  return rows.map((row) => ({ ...toMarked(row), lastSeq: row.last_seq, activeAt: row.active_at }))
}

export async function listMarks(
  db: Db,
  sessionId: string,
  conversationId: string,
  { limit, order, afterSeq = 0, beforeSeq }: MarkPage
): Promise<MarkedTurn[]> {
  let query = db
    .selectFrom('turns')
    .select(MARKED_COLUMNS)
    .where('conversation_id', '=', conversationId)
    .where('session_id', '=', sessionId)
    .where('seq', '>', afterSeq)
  if (beforeSeq !== undefined) query = query.where('seq', '<', beforeSeq)
  return (await query.orderBy('seq', order).limit(limit).execute()).map(toMarked)
}

export async function findExternal(db: Db, sessionId: string, externalKey: string): Promise<string | null> {
  const row = await db
    .selectFrom('conversations')
    .select('id')
    .where('session_id', '=', sessionId)
    .where('external_key', '=', externalKey)
    .executeTakeFirst()
  return row?.id ?? null
}

export async function readSecret(db: Db): Promise<string> {
  const row = await db
    .selectFrom('secrets')
    .select('value')
    .where('name', '=', 'threading')
    .executeTakeFirst()
  if (!row) throw new StoreError('STORE_CORRUPT', "the store's secret is missing")
  return row.value
}

function toMarked(row: MarkedRow): MarkedTurn {
  return {
    conversationId: row.conversation_id,
    seq: row.seq,
    parentSeq: row.parent_seq,
    status: row.status,
    superseded: row.superseded === 1,
    marks: { asked: row.asked_mark, tip: row.tip_mark, answer: row.answer_mark }
  }
}
