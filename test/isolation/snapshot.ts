import type { Conversation, MarkedTurn, Store, Turn } from '../../storage/contract.ts'

/** A conversation with all of its turns, and by what these are found. */
export interface Kept {
  conversation: Conversation
  turns: Turn[]
  marked: MarkedTurn[]
}

/** Everything that the store holds of all sessions, by conversation id. */
export async function snapshot(store: Store): Promise<Map<string, Kept>> {
  const kept = new Map<string, Kept>()
  for (const conversation of await store.exportConversations(null, 1_000)) {
    const { id, sessionId } = conversation
    const page = await store.listTurns(sessionId, id, { limit: 1_000, order: 'asc', includeSuperseded: true })
    const marked = await store.listMarks(sessionId, id, { limit: 1_000, order: 'asc' })
    kept.set(id, { conversation, turns: page?.data ?? [], marked })
  }
  return kept
}

/** What is found of a session by ways that have an index of their own. */
export async function indexed(store: Store, sessionId: string, words: string[]): Promise<unknown> {
  const page = { limit: 100, order: 'asc' } as const
  return {
    chats: await store.listSessionTurns(sessionId, { ...page, kind: 'chat' }),
    responses: await store.listSessionTurns(sessionId, { ...page, kind: 'response' }),
    found: await store.listConversations(sessionId, { ...page, words }),
    counted: await store.countTurns(sessionId, 0),
    listed: await store.listConversations(sessionId, page)
  }
}
