import { sql } from 'kysely'
import type { BegunTurn, NewTurn } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { inputAlone } from '../input-alone.ts'
import { intern } from '../media.ts'
import { lockConversation } from './conversations.ts'
import type { SqlDialect } from './dialect.ts'
import { keepMedia, readTurns, sweepMedia } from './media.ts'
import { unindex } from './search.ts'
import { type Db, TURN_COLUMNS, type TurnRow } from './tables.ts'
import { assertNoneRuns } from './turn-place.ts'

type EarlierTurn = TurnRow & { request_hash: string | null }

export function hasFailed({ status }: EarlierTurn): boolean {
  return status === 'incomplete' || status === 'failed'
}

/** The turn with the request's idempotency key; one that is too old loses it. */
export async function turnWithKey(db: Db, turn: NewTurn): Promise<EarlierTurn | undefined> {
  if (turn.idempotencyKey === null) return undefined
  const found = await db
    .selectFrom('turns')
    .select([...TURN_COLUMNS, 'turns.request_hash'])
    .where('session_id', '=', turn.sessionId)
    .where('idempotency_key', '=', turn.idempotencyKey)
    .executeTakeFirst()
  if (!found || found.created_at >= turn.keysSince) return found
  await lockConversation(db, found.conversation_id) // before its turn, as everybody does
  await db
    .updateTable('turns')
    .set({ idempotency_key: null })
    .where('conversation_id', '=', found.conversation_id)
    .where('seq', '=', found.seq)
    .where('idempotency_key', '=', turn.idempotencyKey)
    .execute()
  return undefined
}

export async function turnToRetry(db: Db, turn: NewTurn): Promise<EarlierTurn | undefined> {
  if (turn.retrySince === null || turn.requestHash === null) return undefined
  return await db
    .selectFrom('turns')
    .select([...TURN_COLUMNS, 'turns.request_hash'])
    .where('session_id', '=', turn.sessionId)
    .where('request_hash', '=', turn.requestHash)
    // In the words of the index's own condition.
    .where(sql<boolean>`status in ('incomplete', 'failed')`)
    .where('created_at', '>=', turn.retrySince)
    .where('idempotency_key', 'is', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Null when the turn was changed since it was found. */
export async function beginAgain(
  db: Db,
  dialect: SqlDialect,
  turn: NewTurn,
  earlier: EarlierTurn
): Promise<Extract<BegunTurn, { outcome: 'begun' }> | null> {
  const { conversation_id: conversationId, seq, id } = earlier
  if (!(await lockConversation(db, conversationId))) return null
  if (turn.expectedLastSeq !== null) await assertNoneRuns(db, dialect, conversationId)
  const [known] = turn.keepsInput ? await readTurns(db, async () => [earlier]) : []
  const kept = known && inputAlone(known.detail)
  const { json: detail, media } = intern(kept === undefined ? turn.detail : kept)
  const result = await db
    .updateTable('turns')
    .set({
      status: 'in_progress',
      model: storableText(turn.model),
      metadata: JSON.stringify(turn.metadata),
      detail,
      owner: turn.owner,
      attempt: earlier.attempt + 1,
      idempotency_key: turn.idempotencyKey,
      assistant_text: null,
      finish_reason: null,
      error: null,
      completion_id: null,
      tip_mark: null,
      answer_mark: null
    })
    .where('conversation_id', '=', conversationId)
    .where('seq', '=', seq)
    .where('id', '=', id)
    .where('attempt', '=', earlier.attempt)
    .where('status', 'in', ['incomplete', 'failed'])
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) return null
  await db
    .updateTable('conversations')
    .set({ active_at: turn.createdAt })
    .where('id', '=', conversationId)
    .execute()
  await keepMedia(db, conversationId, media)
  await sweepMedia(db, dialect, conversationId)
  await unindex(db, conversationId, [seq])
  const key = { id, conversationId, seq, parentSeq: earlier.parent_seq, attempt: earlier.attempt + 1 }
  return { outcome: 'begun', turn: key, ...(kept !== undefined && { input: kept }) }
}
