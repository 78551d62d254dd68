import type { FoundMark, MarkedTurn, MarkPage, MarksSought, TurnStatus } from '../../contract.ts'
import type { ConversationDocument, Summary, TurnDocument } from './document.ts'

/** Of each mark, how many turns are found. */
const NEWEST = 8

export function isMarked({ asked_mark, tip_mark, answer_mark }: TurnDocument): boolean {
  return asked_mark !== undefined || tip_mark !== undefined || answer_mark !== undefined
}

/** What is remembered of a turn whose file is not. */
export function withoutContent(turn: TurnDocument): TurnDocument {
  return { ...turn, metadata: {}, user_text: null, assistant_text: null, detail: null }
}

interface Marked {
  id: string
  summary: Summary
  marked: TurnDocument[]
}

/** Those turns of a session's conversations, all of which are given, that have a mark which is sought. */
export function foundMarks(own: Marked[], { tips, asked, answer, conversationId }: MarksSought): FoundMark[] {
  const there = own
    .filter(({ id }) => conversationId === undefined || id === conversationId)
    .flatMap(({ id, summary, marked }) => marked.map((turn) => ({ id, summary, turn })))
  const newest = (has: (turn: TurnDocument) => boolean) =>
    there
      .filter(({ turn }) => has(turn))
      .sort((a, b) => (a.turn.id < b.turn.id ? 1 : -1))
      .slice(0, NEWEST)
  const found = [
    ...tips.flatMap((mark) => newest((turn) => turn.tip_mark === mark)),
    ...asked.flatMap((mark) => newest((turn) => turn.asked_mark === mark)),
    ...(answer === null ? [] : newest((turn) => turn.answer_mark === answer))
  ]
  return found.map(({ id, summary, turn }) => ({
    ...toMarked(id, turn),
    lastSeq: summary.last_seq,
    activeAt: summary.active_at
  }))
}

/** The page of a conversation's turns with their marks. */
export function markPage(id: string, document: ConversationDocument, page: MarkPage): MarkedTurn[] {
  const { limit, order, afterSeq = 0, beforeSeq = Number.POSITIVE_INFINITY } = page
  return document.turns
    .filter(({ seq }) => seq > afterSeq && seq < beforeSeq)
    .sort((a, b) => (order === 'asc' ? a.seq - b.seq : b.seq - a.seq))
    .slice(0, limit)
    .map((turn) => toMarked(id, turn))
}

function toMarked(conversationId: string, turn: TurnDocument): MarkedTurn {
  return {
    conversationId,
    seq: turn.seq,
    parentSeq: turn.parent_seq,
    status: turn.status as TurnStatus,
    superseded: turn.superseded,
    marks: {
      asked: turn.asked_mark ?? null,
      tip: turn.tip_mark ?? null,
      answer: turn.answer_mark ?? null
    }
  }
}
