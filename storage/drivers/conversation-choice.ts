import type { Conversation, ConversationChoice } from '../contract.ts'
import { hasPairs } from './metadata-filter.ts'

/** Whether nothing is given that conversations are to be chosen by. Then none is meant, rather than all. */
export function isEmptyChoice({ sessionId, metadata = {}, expiredBefore }: ConversationChoice): boolean {
  return sessionId === undefined && expiredBefore === undefined && Object.keys(metadata).length === 0
}

/** Whether the conversation, in which turns run or do not, is one of those meant. */
export function isMeant(
  conversation: Pick<Conversation, 'sessionId' | 'metadata' | 'pinned' | 'activeAt'>,
  runs: boolean,
  which: ConversationChoice
): boolean {
  const { sessionId, metadata, expiredBefore } = which
  if (isEmptyChoice(which)) return false
  if (sessionId !== undefined && conversation.sessionId !== sessionId) return false
  if (!hasPairs(conversation.metadata, metadata)) return false
  return (
    expiredBefore === undefined || (conversation.activeAt < expiredBefore && !conversation.pinned && !runs)
  )
}
