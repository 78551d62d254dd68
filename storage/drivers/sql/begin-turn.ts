import type { BegunTurn, NewTurn } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { assertSeq } from '../highest-seq.ts'
import { intern } from '../media.ts'
import { beginAgain, hasFailed, turnToRetry, turnWithKey } from './begin-again.ts'
import { insertConversation, insertExternal } from './conversations.ts'
import type { SqlDialect } from './dialect.ts'
import { findExternal } from './marks.ts'
import { keepMedia, readTurns } from './media.ts'
import { prepared } from './prepared.ts'
import { indexTitle } from './search.ts'
import type { Db, Tables } from './tables.ts'
import { assertIdle, assertParent } from './turn-place.ts'

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
    if (begun) return begun
  }
  throw new StoreError('STORE_UNAVAILABLE', 'a turn was begun again by too many requests at once')
}

async function beginNew(db: Db, dialect: SqlDialect, turn: NewTurn): Promise<BegunTurn | null> {
  const place = await placeOf(db, dialect, turn)
  if (place === null) return null
  const { id } = turn
  const { conversationId, seq } = place
  assertSeq(seq, turn.maxSeq)
  if (turn.expectedLastSeq !== null) await assertIdle(db, dialect, turn.expectedLastSeq, conversationId, seq)
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
    asked_mark: turn.askedMark ?? null,
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
  'asked_mark',
  'created_at'
] as const

const insertBegun = prepared<Pick<Tables['turns'], (typeof BEGUN_COLUMNS)[number]>>(BEGUN_COLUMNS)(
  (db, row) =>
    db
      .insertInto('turns')
      .values({ ...row, superseded: 0, status: 'in_progress', attempt: 1 })
      .compile()
)

interface Place {
  conversationId: string
  seq: number
}

/** The next seq of the conversation, which is made where it is to be; null when it is not there. */
async function placeOf(db: Db, dialect: SqlDialect, turn: NewTurn): Promise<Place | null> {
  const { conversationId, externalKey } = turn
  if (!turn.create) return await takeSeq(db, dialect, turn)
  const conversation = {
    id: conversationId,
    sessionId: turn.sessionId,
    title: turn.title,
    model: turn.model,
    metadata: { ...turn.metadata, ...turn.conversationMetadata },
    createdAt: turn.createdAt,
    lastSeq: 1
  }
  if (typeof externalKey !== 'string') {
    await insertConversation(db, dialect, conversation)
    return { conversationId, seq: 1 }
  }
  const known = await findExternal(db, turn.sessionId, externalKey)
  if (known === null && (await insertExternal(db, dialect, conversation, externalKey)))
    return { conversationId, seq: 1 }
  const there = known ?? (await findExternal(db, turn.sessionId, externalKey))
  return there === null ? null : await takeSeq(db, dialect, { ...turn, conversationId: there })
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

async function takeSeq(db: Db, dialect: SqlDialect, turn: NewTurn): Promise<Place | null> {
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
  return { conversationId: turn.conversationId, seq: row.last_seq }
}
