import { StoreError } from '../../store-error.ts'
import type { SqlDialect } from './dialect.ts'
import { prepared } from './prepared.ts'
import type { Db } from './tables.ts'

const findRunning = prepared<{ conversationId: string }>(['conversationId'])((db, { conversationId }) =>
  db
    .selectFrom('turns')
    .select('seq')
    .where('conversation_id', '=', conversationId)
    .where('owner', 'is not', null)
    .limit(1)
    .compile()
)

/** Throws `CONVERSATION_BUSY` unless the turn before `seq` is the newest expected, and none runs. */
export async function assertIdle(
  db: Db,
  dialect: SqlDialect,
  expectedLastSeq: number,
  conversationId: string,
  seq: number
): Promise<void> {
  if (seq - 1 !== expectedLastSeq)
    throw new StoreError('CONVERSATION_BUSY', `the newest turn is ${seq - 1}, not ${expectedLastSeq}`)
  await assertNoneRuns(db, dialect, conversationId)
}

export async function assertNoneRuns(db: Db, dialect: SqlDialect, conversationId: string): Promise<void> {
  const [running] = await findRunning(db, dialect, { conversationId })
  if (running) throw new StoreError('CONVERSATION_BUSY', `turn ${running.seq} is running`)
}

export async function assertParent(db: Db, conversationId: string, parentSeq: number): Promise<void> {
  if (parentSeq === 0) return
  const parent = await db
    .selectFrom('turns')
    .select('seq')
    .where('conversation_id', '=', conversationId)
    .where('seq', '=', parentSeq)
    .executeTakeFirst()
  if (!parent) throw new StoreError('PARENT_INVALID', `turn ${parentSeq} does not exist`)
}
