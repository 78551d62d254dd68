import type {
  PageOfTurns,
  SessionTurn,
  SessionTurnPage,
  Turn,
  TurnCount,
  TurnErrorCode,
  TurnKind,
  TurnStatus
} from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { pageOfTurns } from '../../turn-bytes.ts'
import { turnsByDay } from '../../turn-counts.ts'
import { hasPairs } from '../metadata-filter.ts'
import type { ConversationDocument, TurnDocument } from './document.ts'
import { toTurn } from './document.ts'
import { mediaOf } from './document-media.ts'

/** A turn with the conversation that it is in. */
export interface FoundTurn {
  conversationId: string
  document: ConversationDocument
  turn: TurnDocument
}

export function fullTurn({ conversationId, document, turn }: FoundTurn): Turn {
  return toTurn(conversationId, turn, mediaOf(document))
}

export function newestOf(turns: FoundTurn[]): FoundTurn | null {
  return turns.toSorted((a, b) => (a.turn.id < b.turn.id ? -1 : 1)).at(-1) ?? null
}

/** The newest of those that completed, or where none did, of all. */
export function bestOf(turns: FoundTurn[]): FoundTurn | null {
  return newestOf(turns.filter(({ turn }) => turn.status === 'completed')) ?? newestOf(turns)
}

export function isWanted(
  turn: TurnDocument,
  by: { id: string } | { completionId: string; kind: TurnKind }
): boolean {
  if ('id' in by) return turn.id === by.id
  const isOfKind = (turn.kind ?? 'chat') === by.kind
  return isOfKind && turn.completion_id === storableText(by.completionId) && turn.status !== 'failed'
}

/** The page of the session's turns, all of which are given. */
export function sessionTurnPage(all: FoundTurn[], page: SessionTurnPage): PageOfTurns<SessionTurn> {
  const { kind, order, after, metadata } = page
  const model = page.model === undefined ? undefined : storableText(page.model)
  const sign = order === 'asc' ? 1 : -1
  const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -sign : sign)
  const completed = all.filter(({ turn }) => turn.status === 'completed' && (turn.kind ?? 'chat') === kind)
  const listed = completed
    .filter(({ turn }) => model === undefined || (turn.model ?? null) === model)
    .filter(({ turn }) => hasPairs(turn.metadata ?? {}, metadata))
    .sort((a, b) => compare(a.turn.id, b.turn.id))
  const newest = new Map<string, string>()
  for (const { turn } of completed) {
    if (turn.completion_id !== null && turn.id > (newest.get(turn.completion_id) ?? ''))
      newest.set(turn.completion_id, turn.id)
  }
  const rest = listed.filter(({ turn }) => after === undefined || compare(turn.id, after) > 0)
  const isNewest = ({ id, completion_id }: TurnDocument): boolean =>
    completion_id === null || newest.get(completion_id) === id
  return pageOfTurns(rest, page, (found) => ({ ...fullTurn(found), newestOfItsId: isNewest(found.turn) }))
}

/** Counts of the session's turns, all of which are given, that began at `since` or later. */
export function turnCounts(all: FoundTurn[], since: number): TurnCount[] {
  const counted = all.filter(({ turn }) => turn.kind !== 'items' && turn.created_at >= since)
  return turnsByDay(
    counted.map(({ turn }) => ({
      createdAt: turn.created_at,
      status: turn.status as TurnStatus,
      error: turn.error as TurnErrorCode | null
    }))
  )
}
