import type { AddedTurn, Turn, TurnKey } from '../contract.ts'

/** An added turn as it is kept: there was no model call, so it has ended, and completed. */
export function addedTurn(given: AddedTurn, place: Pick<TurnKey, 'conversationId' | 'seq'>): Turn {
  return {
    ...given,
    ...place,
    parentSeq: place.seq - 1,
    attempt: 1,
    kind: 'items',
    superseded: false,
    model: null,
    metadata: {},
    status: 'completed',
    finishReason: null,
    error: null,
    completionId: null
  }
}
