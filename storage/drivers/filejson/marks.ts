import type { FoundMark, MarkedTurn, MarkPage, MarksSought, TurnStatus } from '../../contract.ts'
import type { ConversationDocument, Summary, TurnDocument } from './document.ts'

/** Of each mark, how many turns are found. */
const NEWEST = 8

function isMarked({ asked_mark, tip_mark, answer_mark }: TurnDocument): boolean {
  return asked_mark !== undefined || tip_mark !== undefined || answer_mark !== undefined
}

/** A turn as it is remembered when its file is not. */
export interface RememberedMark {
  id: string
  turn: MarkedTurn
}

/** What a later request may find a conversation by. */
export function marksIn(id: string, turns: readonly TurnDocument[]): RememberedMark[] {
  return turns.filter(isMarked).map((turn) => ({ id: turn.id, turn: toMarked(id, turn) }))
}

interface Entry {
  id: string
  summary: Summary
  marked: RememberedMark[]
}

/** Those turns of a session's conversations, all of which are given, that have a mark which is sought. */
export function foundMarks(own: Entry[], { tips, asked, answer, conversationId }: MarksSought): FoundMark[] {
  const there = own
    .filter(({ id }) => conversationId === undefined || id === conversationId)
    .flatMap(({ summary, marked }) => marked.map((one) => ({ summary, ...one })))
  const newest = (kind: keyof MarkedTurn['marks'], mark: string) =>
    there
      .filter(({ turn }) => turn.marks[kind] === mark)
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, NEWEST)
  const found = [
    ...tips.flatMap((mark) => newest('tip', mark)),
    ...asked.flatMap((mark) => newest('asked', mark)),
    ...(answer === null ? [] : newest('answer', answer))
  ]
  return found.map(({ summary, turn }) => ({
    ...turn,
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
