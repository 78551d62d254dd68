import type { AddedTurn, NewTurn, Turn, TurnContent, TurnEnding, TurnKey } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { addedTurn } from '../added-turn.ts'
import { assertSeq } from '../highest-seq.ts'
import { inputAlone } from '../input-alone.ts'
import { replacementBy } from '../turn-path.ts'
import {
  type ConversationDocument,
  fromConversation,
  fromTurn,
  type TurnDocument,
  toTurn
} from './document.ts'
import { createMediaKeeper, mediaOf } from './document-media.ts'

/** A conversation without turns. */
export function newDocument(
  given: Pick<
    NewTurn,
    'sessionId' | 'title' | 'model' | 'createdAt' | 'metadata' | 'externalKey' | 'conversationMetadata'
  >
): ConversationDocument {
  const { externalKey, conversationMetadata, ...rest } = given
  const metadata = { ...given.metadata, ...conversationMetadata }
  const conversation = { ...rest, metadata, id: '', pinned: false, lastSeq: 0, activeAt: given.createdAt }
  const named = typeof externalKey === 'string' ? { external_key: externalKey } : {}
  return { ...fromConversation(conversation), ...named, turns: [] }
}

/** The document with a running turn more. Throws `CONVERSATION_FULL`, `CONVERSATION_BUSY` or `PARENT_INVALID` when it cannot be. */
export function withTurn(document: ConversationDocument, turn: NewTurn) {
  const seq = document.last_seq + 1
  assertSeq(seq, turn.maxSeq)
  assertIdle(document, turn)
  const parentSeq = turn.parentSeq ?? seq - 1
  if (turn.parentSeq !== null && parentSeq !== 0 && !document.turns.some((other) => other.seq === parentSeq))
    throw new StoreError('PARENT_INVALID', `turn ${parentSeq} does not exist`)

  const keeper = createMediaKeeper()
  const begun: TurnDocument = {
    seq,
    id: turn.id,
    parent_seq: parentSeq,
    kind: turn.kind,
    superseded: false,
    user_text: storableText(turn.userText),
    ...asked(turn),
    created_at: turn.createdAt,
    attempt: 1,
    ...(turn.requestHash !== null && { request_hash: turn.requestHash }),
    ...(typeof turn.askedMark === 'string' && { asked_mark: turn.askedMark }),
    detail: keeper.take(turn.detail)
  }
  const changed = {
    ...document,
    title: document.title ?? storableText(turn.title),
    model: storableText(turn.model) ?? document.model,
    last_seq: seq,
    active_at: turn.createdAt
  }
  const key: TurnKey = { id: turn.id, conversationId: turn.conversationId, seq, parentSeq, attempt: 1 }
  return { next: keeper.documentWith(changed, [...document.turns, begun]), result: { turn: key } }
}

function assertIdle(document: ConversationDocument, { expectedLastSeq }: NewTurn): void {
  if (expectedLastSeq === null) return
  if (document.last_seq !== expectedLastSeq)
    throw new StoreError(
      'CONVERSATION_BUSY',
      `the newest turn is ${document.last_seq}, not ${expectedLastSeq}`
    )
  assertNoneRuns(document)
}

function assertNoneRuns(document: ConversationDocument): void {
  const running = document.turns.find(({ owner }) => owner !== undefined)
  if (running) throw new StoreError('CONVERSATION_BUSY', `turn ${running.seq} is running`)
}

/** What each attempt has anew. */
function asked(turn: NewTurn) {
  return {
    model: storableText(turn.model),
    metadata: { ...turn.metadata },
    status: 'in_progress',
    error: null,
    finish_reason: null,
    completion_id: null,
    owner: turn.owner,
    ...(turn.idempotencyKey !== null && { idempotency_key: turn.idempotencyKey }),
    assistant_text: null
  }
}

/** The document with a turn begun again that has ended without completing; null when it has changed since. */
export function withNextAttempt(
  document: ConversationDocument,
  conversationId: string,
  earlier: TurnDocument,
  turn: NewTurn
) {
  const current = document.turns.find(({ id, seq }) => id === earlier.id && seq === earlier.seq)
  if (!current || current.attempt !== earlier.attempt || !hasFailed(current)) return null
  if (turn.expectedLastSeq !== null) assertNoneRuns(document)
  const keeper = createMediaKeeper()
  const attempt = (current.attempt ?? 1) + 1
  const { tip_mark: _tip, answer_mark: _answer, ...kept } = current
  const before = turn.keepsInput ? toTurn(conversationId, current, mediaOf(document)).detail : null
  const input = turn.keepsInput ? { input: inputAlone(before) } : {}
  const detail = keeper.take('input' in input ? (input.input ?? null) : turn.detail)
  const begun = { ...kept, ...asked(turn), attempt, detail }
  const turns = document.turns.map((other) => (other === current ? begun : other))
  const key: TurnKey = { id: begun.id, conversationId, seq: begun.seq, parentSeq: begun.parent_seq, attempt }
  const next = keeper.documentWith({ ...document, active_at: turn.createdAt }, turns)
  return { next, result: { turn: key, ...input } }
}

export function hasFailed({ status }: TurnDocument): boolean {
  return status === 'incomplete' || status === 'failed'
}

/** The document with the turn ended; null when it is not there or has ended already. */
export function withEnding(
  document: ConversationDocument,
  key: TurnKey,
  ending: TurnEnding
): ConversationDocument | null {
  const turn = document.turns.findLast(({ id, seq }) => id === key.id && seq === key.seq)
  if (!turn || (turn.attempt ?? 1) !== key.attempt) return null
  if (turn.status !== 'in_progress' && turn.error !== 'server_lost') return null
  if (turn.kind === 'items') return null // whose items were deleted since stays as it is
  const keeper = createMediaKeeper()
  const { owner: _, ...rest } = turn
  const ended: TurnDocument = {
    ...rest,
    ...(ending.model !== null && { model: storableText(ending.model) }),
    status: ending.status,
    error: ending.error,
    finish_reason: storableText(ending.finishReason),
    completion_id: storableText(ending.completionId),
    assistant_text: storableText(ending.assistantText),
    ...(typeof ending.tipMark === 'string' && { tip_mark: ending.tipMark }),
    ...(typeof ending.answerMark === 'string' && { answer_mark: ending.answerMark }),
    detail: keeper.take(ending.detail)
  }
  const turns = document.turns.map((other) => (other === turn ? ended : other))
  const replaces = ending.status === 'completed' && !turn.superseded && key.parentSeq < key.seq - 1
  return keeper.documentWith(document, replaces ? withPathTo(key, turns) : turns)
}

/** The turns with those marked that are, and are no longer, on the way to `key`. */
function withPathTo(key: TurnKey, turns: TurnDocument[]): TurnDocument[] {
  const older = turns
    .filter(({ seq }) => seq < key.seq)
    .map(({ seq, parent_seq, superseded, status }) => ({
      seq,
      parentSeq: parent_seq,
      superseded,
      completed: status === 'completed'
    }))
  const { hidden, shown } = replacementBy(key.parentSeq, older)
  const marks = new Map([
    ...hidden.map((seq) => [seq, true] as const),
    ...shown.map((seq) => [seq, false] as const)
  ])
  return turns.map((turn) => ({ ...turn, superseded: marks.get(turn.seq) ?? turn.superseded }))
}

/** The document with turns more that have no model call, and these as they are kept. */
export function withAddedTurns(
  document: ConversationDocument,
  conversationId: string,
  added: AddedTurn[],
  maxSeq: number | null
) {
  if (added.length > 0) assertSeq(document.last_seq + added.length, maxSeq)
  const keeper = createMediaKeeper()
  const made = added.map((given, index): TurnDocument => {
    const seq = document.last_seq + index + 1
    return fromTurn(addedTurn(given, { conversationId, seq }), keeper.take(given.detail))
  })
  const changed = {
    ...document,
    last_seq: document.last_seq + added.length,
    active_at: added.at(-1)?.createdAt ?? document.active_at
  }
  const next = keeper.documentWith(changed, [...document.turns, ...made])
  return { next, result: made.map((turn) => toTurn(conversationId, turn, mediaOf(next))) }
}

/** The document with an ended turn changed, or deleted; null when it is not there. */
export function withChange(
  document: ConversationDocument,
  key: Pick<TurnKey, 'id' | 'conversationId' | 'seq'>,
  change: (turn: Turn) => TurnContent | null
): ConversationDocument | null {
  const turn = document.turns.find(({ id, seq }) => id === key.id && seq === key.seq)
  if (!turn) return null
  if (turn.status === 'in_progress') throw new StoreError('CONVERSATION_BUSY', `turn ${turn.seq} is running`)
  const content = change(toTurn(key.conversationId, turn, mediaOf(document)))
  const keeper = createMediaKeeper()
  const { asked_mark: _asked, tip_mark: _tip, answer_mark: _answer, ...rest } = turn
  const changed = content && {
    ...rest,
    kind: content.kind,
    metadata: { ...content.metadata },
    user_text: storableText(content.userText),
    assistant_text: storableText(content.assistantText),
    detail: keeper.take(content.detail)
  }
  const turns = document.turns.flatMap((other) => (other === turn ? (changed ?? []) : other))
  return keeper.documentWith(document, turns)
}

/** The document with the running turns of `lost` ended; `next` is null when it has none. */
export function withLostTurns(document: ConversationDocument | null, lost: string) {
  const ended = document?.turns.filter(({ owner }) => owner === lost).length ?? 0
  if (!document || ended === 0) return { next: null, result: 0 }
  const turns = document.turns.map(({ owner, ...turn }) => {
    if (owner === undefined) return turn
    return owner === lost ? { ...turn, status: 'incomplete', error: 'server_lost' } : { ...turn, owner }
  })
  return { next: { ...document, turns }, result: ended }
}

/** The document with `turns` in place of those with their seq. */
export function withImportedTurns(document: ConversationDocument, turns: Turn[]): ConversationDocument {
  const keeper = createMediaKeeper()
  const bySeq = new Map(document.turns.map((turn) => [turn.seq, turn]))
  for (const turn of turns) bySeq.set(turn.seq, fromTurn(turn, keeper.take(turn.detail)))
  return keeper.documentWith(
    document,
    [...bySeq.values()].sort((a, b) => a.seq - b.seq)
  )
}
