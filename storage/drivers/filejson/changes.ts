import type { NewTurn, Turn, TurnEnding, TurnKey } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { type ConversationDocument, fromConversation, fromTurn } from './document.ts'

/** A conversation without turns. */
export function newDocument(
  given: Pick<NewTurn, 'sessionId' | 'title' | 'model' | 'createdAt'> & { metadata: Record<string, string> }
): ConversationDocument {
  const conversation = { ...given, id: '', pinned: false, lastSeq: 0, activeAt: given.createdAt }
  return { ...fromConversation(conversation), turns: [] }
}

/** Throws `PARENT_INVALID` when a new turn cannot follow `parentSeq`. */
export function assertParent(document: ConversationDocument, parentSeq: number): void {
  if (parentSeq === 0) return
  const parent = document.turns.find(({ seq }) => seq === parentSeq)
  if (parent && !parent.superseded) return
  const reason = parent ? 'was superseded' : `does not exist, the newest is ${document.last_seq}`
  throw new StoreError('PARENT_INVALID', `turn ${parentSeq} ${reason}`)
}

/** The document with a running turn more. */
export function withTurn(
  document: ConversationDocument,
  turn: NewTurn,
  seq: number,
  parentSeq: number
): ConversationDocument {
  return {
    ...document,
    title: document.title ?? storableText(turn.title),
    model: storableText(turn.model) ?? document.model,
    last_seq: seq,
    active_at: turn.createdAt,
    turns: [
      ...document.turns,
      {
        seq,
        id: turn.id,
        parent_seq: parentSeq,
        superseded: false,
        status: 'in_progress',
        error: null,
        finish_reason: null,
        completion_id: null,
        created_at: turn.createdAt,
        owner: turn.owner,
        user_text: storableText(turn.userText),
        assistant_text: null,
        detail: structuredClone(turn.detail)
      }
    ]
  }
}

/** The document with the turn ended; null when it is not there or has ended already. */
export function withEnding(
  document: ConversationDocument,
  key: TurnKey,
  ending: TurnEnding
): ConversationDocument | null {
  const turn = document.turns.find(({ id, seq }) => id === key.id && seq === key.seq)
  if (!turn || (turn.status !== 'in_progress' && turn.error !== 'server_lost')) return null
  const { owner: _, ...rest } = turn
  const ended = {
    ...rest,
    status: ending.status,
    error: ending.error,
    finish_reason: storableText(ending.finishReason),
    completion_id: storableText(ending.completionId),
    assistant_text: storableText(ending.assistantText),
    detail: structuredClone(ending.detail)
  }
  const replaces = ({ seq }: { seq: number }): boolean =>
    ending.status === 'completed' && !turn.superseded && seq > key.parentSeq && seq < key.seq
  return {
    ...document,
    turns: document.turns.map((other) => {
      if (other === turn) return ended
      return replaces(other) ? { ...other, superseded: true } : other
    })
  }
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
  const bySeq = new Map(document.turns.map((turn) => [turn.seq, turn]))
  for (const turn of turns) bySeq.set(turn.seq, fromTurn(turn))
  return { ...document, turns: [...bySeq.values()].sort((a, b) => a.seq - b.seq) }
}
