import { sql } from 'kysely'
import type { FoundMark, MarkedTurn, MarkPage, MarksSought } from '../../contract.ts'
import { StoreError } from '../../store-error.ts'
import type { SqlDialect } from './dialect.ts'
import { preparedRead } from './prepared.ts'
import type { Db, Tables } from './tables.ts'

/** Of each mark, how many turns are found. */
const NEWEST = 8

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

type MarkColumn = 'tip_mark' | 'asked_mark' | 'answer_mark'
type Given = Record<string, string | null>
type Find = (db: Db, dialect: SqlDialect, given: Given) => Promise<FoundRow[]>

/** The statements that were needed so far, by how many marks of each kind they look for. */
const statements = new Map<string, Find>()

function statementFor(columns: MarkColumn[], isWithin: boolean): Find {
  const shape = `${columns.join(' ')} ${isWithin}`
  const find = statements.get(shape) ?? createStatement(columns, isWithin)
  statements.set(shape, find)
  return find
}

function createStatement(columns: MarkColumn[], isWithin: boolean): Find {
  const marks = columns.map((_, index) => `mark${index}`)
  return preparedRead<Given>(['sessionId', 'conversationId', ...marks])((db, given) => {
    const there = isWithin ? sql`and conversation_id = ${given.conversationId}` : sql``
    const found = columns.map(
      (column, index) => sql`select * from (
        select ${sql.join(MARKED_COLUMNS.map((name) => sql.ref(name)))} from turns
        where session_id = ${given.sessionId} and ${sql.ref(column)} = ${given[`mark${index}`]} ${there}
        order by id desc limit ${sql.lit(NEWEST)}) as ${sql.ref(`newest${index}`)}`
    )
    // Each conversation is looked up by its id: for a join, Postgres may read through all of them.
    return sql<FoundRow>`
      select found.*,
        (select last_seq from conversations where id = found.conversation_id) as last_seq,
        (select active_at from conversations where id = found.conversation_id) as active_at
      from (${sql.join(found, sql` union all `)}) as found`.compile(db)
  })
}

export async function findMarks(
  db: Db,
  dialect: SqlDialect,
  sessionId: string,
  { tips, asked, answer, conversationId }: MarksSought
): Promise<FoundMark[]> {
  const sought: [MarkColumn, string][] = [
    ...tips.map((mark) => ['tip_mark', mark] as [MarkColumn, string]),
    ...asked.map((mark) => ['asked_mark', mark] as [MarkColumn, string]),
    ...(answer === null ? [] : [['answer_mark', answer] as [MarkColumn, string]])
  ]
  if (sought.length === 0) return []
  const columns = sought.map(([column]) => column)
  const marks = sought.map(([, mark], index) => [`mark${index}`, mark] as const)
  const rows = await statementFor(columns, conversationId !== undefined)(db, dialect, {
    ...Object.fromEntries(marks),
    sessionId,
    conversationId: conversationId ?? null
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
