import { sql } from 'kysely'
import type { BegunTurn, NewTurn, TurnKey } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { assertSeq } from '../highest-seq.ts'
import { intern } from '../media.ts'
import { insertConversation, lockConversation } from './conversations.ts'
import type { SqlDialect } from './dialect.ts'
import { keepMedia, readTurns, sweepMedia } from './media.ts'
import { prepared } from './prepared.ts'
import { indexTitle, unindex } from './search.ts'
import { type Db, type Tables, TURN_COLUMNS, type TurnRow } from './tables.ts'

type EarlierTurn = TurnRow & { request_hash: string | null }

/** How often a turn that others change meanwhile is looked for. */
const MAX_LOOKS = 10

export async function beginTurn(db: Db, dialect: SqlDialect, turn: NewTurn): Promise<BegunTurn | null> {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const keyed = await turnWithKey(db, turn)
    if (keyed && (keyed.request_hash !== turn.requestHash || !hasFailed(keyed))) {
      const [known] = await readTurns(db, async () => [keyed])
      if (known)
        return { outcome: 'known', turn: known, sameRequest: keyed.request_hash === turn.requestHash }
    }
    const earlier = keyed ?? (await turnToRetry(db, turn))
    if (!earlier) return await beginNew(db, dialect, turn)
    const begun = await beginAgain(db, dialect, turn, earlier)
    if (begun) return { outcome: 'begun', turn: begun }
  }
  throw new StoreError('STORE_UNAVAILABLE', 'a turn was begun again by too many requests at once')
}

function hasFailed({ status }: EarlierTurn): boolean {
  return status === 'incomplete' || status === 'failed'
}

/** The turn with the request's idempotency key; one that is too old loses it. */
async function turnWithKey(db: Db, turn: NewTurn): Promise<EarlierTurn | undefined> {
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

async function turnToRetry(db: Db, turn: NewTurn): Promise<EarlierTurn | undefined> {
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
async function beginAgain(
  db: Db,
  dialect: SqlDialect,
  turn: NewTurn,
  earlier: EarlierTurn
): Promise<TurnKey | null> {
  const { conversation_id: conversationId, seq, id } = earlier
  if (!(await lockConversation(db, conversationId))) return null
  if (turn.expectedLastSeq !== null) await assertNoneRuns(db, conversationId)
  const { json: detail, media } = intern(turn.detail)
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
      completion_id: null
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
  return { id, conversationId, seq, parentSeq: earlier.parent_seq, attempt: earlier.attempt + 1 }
}

async function beginNew(db: Db, dialect: SqlDialect, turn: NewTurn): Promise<BegunTurn | null> {
  const { id, conversationId } = turn
  const seq = turn.create ? await startConversation(db, dialect, turn) : await takeSeq(db, dialect, turn)
  if (seq === null) return null
  assertSeq(seq, turn.maxSeq)
  if (turn.expectedLastSeq !== null) await assertIdle(db, turn, seq)
  const parentSeq = turn.parentSeq ?? seq - 1
  if (turn.parentSeq !== null) await assertParent(db, conversationId, parentSeq)
  const { json: detail, media } = intern(turn.detail)
  await keepMedia(db, conversationId, media)
  await insertBegun(db, dialect, {
    id,
    session_id: turn.sessionId,
    conversation_id: conversationId,
    seq,
    parent_seq: parentSeq,
    kind: turn.kind,
    model: storableText(turn.model),
    metadata: JSON.stringify(turn.metadata),
    user_text: storableText(turn.userText),
    detail,
    owner: turn.owner,
    request_hash: turn.requestHash,
    idempotency_key: turn.idempotencyKey,
    created_at: turn.createdAt
  })
  return { outcome: 'begun', turn: { id, conversationId, seq, parentSeq, attempt: 1 } }
}

const BEGUN_COLUMNS = [
  'id',
  'session_id',
  'conversation_id',
  'seq',
  'parent_seq',
  'kind',
  'model',
  'metadata',
  'user_text',
  'detail',
  'owner',
  'request_hash',
  'idempotency_key',
  'created_at'
] as const

const insertBegun = prepared<Pick<Tables['turns'], (typeof BEGUN_COLUMNS)[number]>>(BEGUN_COLUMNS)(
  (db, row) =>
    db
      .insertInto('turns')
      .values({ ...row, superseded: 0, status: 'in_progress', attempt: 1 })
      .compile()
)

async function startConversation(db: Db, dialect: SqlDialect, turn: NewTurn): Promise<number> {
  const conversation = await insertConversation(db, dialect, {
    id: turn.conversationId,
    sessionId: turn.sessionId,
    title: turn.title,
    model: turn.model,
    metadata: turn.metadata,
    createdAt: turn.createdAt,
    lastSeq: 1
  })
  return conversation.lastSeq
}

const ADVANCED_COLUMNS = ['id', 'session_id', 'title', 'model', 'active_at'] as const

const advance = prepared<Pick<Tables['conversations'], (typeof ADVANCED_COLUMNS)[number]>>(ADVANCED_COLUMNS)(
  (db, given) =>
    db
      .updateTable('conversations')
      .set((eb) => ({
        last_seq: eb('last_seq', '+', 1),
        active_at: given.active_at,
        title: eb.fn.coalesce('title', eb.val(given.title)),
        model: eb.fn.coalesce(eb.val(given.model), 'model')
      }))
      .where('id', '=', given.id)
      .where('session_id', '=', given.session_id)
      .returning(['last_seq', 'title'])
      .compile()
)

async function takeSeq(db: Db, dialect: SqlDialect, turn: NewTurn): Promise<number | null> {
  const title = storableText(turn.title)
  const [row] = await advance(db, dialect, {
    id: turn.conversationId,
    session_id: turn.sessionId,
    title,
    model: storableText(turn.model),
    active_at: turn.createdAt
  })
  if (!row) return null
  // It may have been the title before; to index it again changes nothing.
  if (title !== null && row.title === title) await indexTitle(db, dialect, turn.conversationId, title)
  return row.last_seq
}

async function assertIdle(db: Db, turn: NewTurn, seq: number): Promise<void> {
  if (seq - 1 !== turn.expectedLastSeq)
    throw new StoreError('CONVERSATION_BUSY', `the newest turn is ${seq - 1}, not ${turn.expectedLastSeq}`)
  await assertNoneRuns(db, turn.conversationId)
}

async function assertNoneRuns(db: Db, conversationId: string): Promise<void> {
  const running = await db
    .selectFrom('turns')
    .select('seq')
    .where('conversation_id', '=', conversationId)
    .where('owner', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  if (running) throw new StoreError('CONVERSATION_BUSY', `turn ${running.seq} is running`)
}

async function assertParent(db: Db, conversationId: string, parentSeq: number): Promise<void> {
  if (parentSeq === 0) return
  const parent = await db
    .selectFrom('turns')
    .select('seq')
    .where('conversation_id', '=', conversationId)
    .where('seq', '=', parentSeq)
    .executeTakeFirst()
  if (!parent) throw new StoreError('PARENT_INVALID', `turn ${parentSeq} does not exist`)
}
