import { type RawBuilder, sql } from 'kysely'
import type { NewTurn, RunningTurn, TurnEnding, TurnKey } from '../../contract.ts'
import { searchWords } from '../../search-words.ts'
import { storableText } from '../../storable-text.ts'
import { intern } from '../media.ts'
import type { InOne } from './dialect.ts'
import { prepared } from './prepared.ts'

// The two writes of a turn, each as one statement of Postgres: a transaction takes a round trip for each of its own, and
// two more to begin and to end. Null for those that only `begin-turn.ts` and `end-turn.ts` can do.

const ANY_SEQ = 2_147_483_647

/**
 * Begins the turn of a request that nobody has made before. The statement does nothing, and resolves to null, when there
 * is no such conversation, no room in it, no such parent, or another newest turn than expected.
 */
export function beginInOne(turn: NewTurn): InOne<TurnKey | null> | null {
  const { id, conversationId, idempotencyKey, retrySince, expectedLastSeq, parentSeq } = turn
  const isPlaced = expectedLastSeq !== null || parentSeq !== null
  if (idempotencyKey !== null || retrySince !== null || (turn.create && (turn.externalKey || isPlaced)))
    return null
  const { json: detail, media } = intern(turn.detail)
  if (media.size > 0) return null
  const title = storableText(turn.title)
  const given = {
    id,
    conversationId,
    sessionId: turn.sessionId,
    kind: turn.kind,
    title,
    titleWords: searchWords(title ?? '').join(' '),
    model: storableText(turn.model),
    metadata: JSON.stringify(turn.metadata),
    conversationMetadata: JSON.stringify({ ...turn.metadata, ...turn.conversationMetadata }),
    userText: storableText(turn.userText),
    detail,
    owner: turn.owner,
    requestHash: turn.requestHash,
    askedMark: turn.askedMark ?? null,
    createdAt: turn.createdAt,
    maxSeq: turn.maxSeq ?? ANY_SEQ,
    parentSeq,
    expectedLastSeq
  }
  return async (db, dialect) => {
    const [row] = await (turn.create ? beginNew : beginNext)(db, dialect, given)
    return row ? { id, conversationId, seq: row.seq, parentSeq: row.parent_seq, attempt: 1 } : null
  }
}

const BEGUN = [
  'id',
  'conversationId',
  'sessionId',
  'kind',
  'title',
  'titleWords',
  'model',
  'metadata',
  'conversationMetadata',
  'userText',
  'detail',
  'owner',
  'requestHash',
  'askedMark',
  'createdAt',
  'maxSeq',
  'parentSeq',
  'expectedLastSeq'
] as const

type Texts = Exclude<
  (typeof BEGUN)[number],
  'titleWords' | 'createdAt' | 'maxSeq' | 'parentSeq' | 'expectedLastSeq'
>
interface Begun extends Record<Texts, string | null> {
  titleWords: string
  createdAt: number
  maxSeq: number
  parentSeq: number | null
  expectedLastSeq: number | null
}

interface Seqs {
  seq: number
  parent_seq: number
}

const beginNew = prepared<Begun>(BEGUN)((db, given) =>
  sql<Seqs>`
    with made as (
      insert into conversations
        (id, session_id, title, model, metadata, pinned, last_seq, created_at, active_at)
      select ${given.conversationId}, ${given.sessionId}, ${given.title}, ${given.model},
        ${given.conversationMetadata}, 0, 1, ${given.createdAt}::bigint, ${given.createdAt}::bigint
      where ${given.maxSeq}::integer >= 1
      returning id, last_seq
    ), titled as (
      insert into search_entries (conversation_id, seq, words)
      select id, 0, array_to_tsvector(string_to_array(${given.titleWords}, ' ')) from made
      where ${given.titleWords} <> ''
    )
    ${insertTurn(given, 'made', sql`last_seq - 1`)}`.compile(db)
)

/**
 * When it has waited for another transaction, Postgres looks at the conversation's row again but not at its turns: one
 * that began again meanwhile would be missed. It has changed `active_at`, which is compared with what it was before.
 */
const beginNext = prepared<Begun>(BEGUN)((db, given) =>
  sql<Seqs>`
    with taken as (
      update conversations set
        last_seq = last_seq + 1,
        active_at = ${given.createdAt}::bigint,
        title = coalesce(title, ${given.title}),
        model = coalesce(${given.model}, model)
      where id = ${given.conversationId} and session_id = ${given.sessionId}
        and last_seq < ${given.maxSeq}::integer
        and (${given.parentSeq}::integer is null or ${given.parentSeq}::integer = 0 or exists (
          select from turns
          where conversation_id = ${given.conversationId} and seq = ${given.parentSeq}::integer))
        and (${given.expectedLastSeq}::integer is null or (
          last_seq = ${given.expectedLastSeq}::integer
          and active_at = (select c.active_at from conversations c where c.id = ${given.conversationId})
          and not exists (
            select from turns where conversation_id = ${given.conversationId} and owner is not null)))
      returning id, last_seq, title
    ), titled as (
      insert into search_entries (conversation_id, seq, words)
      select id, 0, array_to_tsvector(string_to_array(${given.titleWords}, ' ')) from taken
      where title = ${given.title} and ${given.titleWords} <> ''
      on conflict (conversation_id, seq) do update set words = excluded.words
    )
    ${insertTurn(given, 'taken', sql`coalesce(${given.parentSeq}::integer, last_seq - 1)`)}`.compile(db)
)

const insertTurn = (given: Begun, conversation: 'made' | 'taken', parentSeq: RawBuilder<unknown>) => sql`
  insert into turns
    (id, session_id, conversation_id, seq, parent_seq, kind, superseded, model, metadata, user_text, status,
      detail, owner, attempt, request_hash, asked_mark, created_at)
  select ${given.id}, ${given.sessionId}, id, last_seq, ${parentSeq}, ${given.kind}, 0, ${given.model},
    ${given.metadata}, ${given.userText}, 'in_progress', ${given.detail}, ${given.owner}, 1,
    ${given.requestHash}, ${given.askedMark}, ${given.createdAt}::bigint
  from ${sql.table(conversation)}
  returning seq, parent_seq`

/** Ends a turn that follows the one before it, and whose question is at hand; resolves as `finishTurn` does. */
export function finishInOne({ userText, ...turn }: RunningTurn, ending: TurnEnding): InOne<boolean> | null {
  const { json: detail, media } = intern(ending.detail)
  const replaces = turn.parentSeq < turn.seq - 1
  if (userText === undefined || replaces || media.size > 0) return null
  const assistantText = storableText(ending.assistantText)
  const given = {
    id: turn.id,
    conversationId: turn.conversationId,
    seq: turn.seq,
    attempt: turn.attempt,
    status: ending.status,
    error: ending.error,
    finishReason: storableText(ending.finishReason),
    completionId: storableText(ending.completionId),
    assistantText,
    detail,
    model: storableText(ending.model),
    tipMark: ending.tipMark ?? null,
    answerMark: ending.answerMark ?? null,
    words: searchWords(`${storableText(userText) ?? ''}\n${assistantText ?? ''}`).join(' ')
  }
  return async (db, dialect) => (await endAndIndex(db, dialect, given)).length > 0
}

interface Ended {
  id: string
  conversationId: string
  seq: number
  attempt: number
  status: string
  error: string | null
  finishReason: string | null
  completionId: string | null
  assistantText: string | null
  detail: string | null
  model: string | null
  tipMark: string | null
  answerMark: string | null
  words: string
}

const ENDED = [
  'id',
  'conversationId',
  'seq',
  'attempt',
  'status',
  'error',
  'finishReason',
  'completionId',
  'assistantText',
  'detail',
  'model',
  'tipMark',
  'answerMark',
  'words'
] as const

const endAndIndex = prepared<Ended>(ENDED)((db, given, dialect) =>
  sql<{ seq: number }>`
    with ended as (
      update turns set
        status = ${given.status},
        error = ${given.error},
        finish_reason = ${given.finishReason},
        completion_id = ${given.completionId},
        assistant_text = ${given.assistantText},
        detail = ${given.detail},
        model = coalesce(${given.model}, model),
        tip_mark = ${given.tipMark},
        answer_mark = ${given.answerMark},
        owner = null
      where conversation_id = ${dialect.held(given.conversationId)} and seq = ${given.seq}::integer
        and id = ${given.id} and attempt = ${given.attempt}::integer
        and kind != 'items' and (status = 'in_progress' or error = 'server_lost')
      returning conversation_id, seq, superseded
    ), indexed as (
      insert into search_entries (conversation_id, seq, words)
      select conversation_id, seq, array_to_tsvector(string_to_array(${given.words}, ' ')) from ended
      where superseded = 0 and ${given.words} <> ''
      on conflict (conversation_id, seq) do update set words = excluded.words
    )
    select seq from ended`.compile(db)
)
