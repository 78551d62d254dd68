import type { Store } from './contract.ts'
import { StoreError } from './store-error.ts'

/** What a session may keep; null = any number. */
export interface Limits {
  /** The most turns of one conversation. */
  maxTurns: number | null
  /** The most conversations of one session. */
  maxConversations: number | null
}

type Counting = Pick<Store, 'countConversations'>

/**
 * Whether the session may have one conversation more. Counted before one is made: requests at the same time may each
 * find the last place free.
 */
export async function hasRoom(store: Counting, sessionId: string, { maxConversations: max }: Limits) {
  return max === null || (await store.countConversations({ sessionId }, max)) < max
}

/** Rejects with `CONVERSATION_FULL` or `SESSION_FULL` when a conversation of so many turns may not be made. */
export async function assertRoom(
  store: Counting,
  sessionId: string,
  turns: number,
  limits: Limits
): Promise<void> {
  if (limits.maxTurns !== null && turns > limits.maxTurns)
    throw new StoreError('CONVERSATION_FULL', `the conversation may not have ${turns} turns`)
  if (!(await hasRoom(store, sessionId, limits))) throw sessionFull()
}

export function sessionFull(): StoreError {
  return new StoreError('SESSION_FULL', 'the session has as many conversations as it may')
}
