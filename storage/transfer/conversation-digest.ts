import { createHash } from 'node:crypto'
import type { Conversation, Turn } from '../contract.ts'
import { storableText } from '../storable-text.ts'

export interface ConversationDigest {
  /** SHA-256 of the conversation and its turns, in hexadecimal digits. */
  digest: string
  turns: number
}

/**
 * The same for the same conversation in every store: texts count as what a store can hold of them. `toTurn` is
 * applied to each turn first.
 */
export async function digestConversation(
  conversation: Conversation,
  pages: AsyncIterable<Turn[]> | Iterable<Turn[]>,
  toTurn: (turn: Turn) => Turn = (turn) => turn
): Promise<ConversationDigest> {
  const hash = createHash('sha256').update(conversationLine(conversation))
  let turns = 0
  for await (const page of pages) {
    for (const turn of page) hash.update(turnLine(toTurn(turn)))
    turns += page.length
  }
  return { digest: hash.digest('hex'), turns }
}

// A line of JSON a row: no text can look like the border between two fields.
function conversationLine(conversation: Conversation): string {
  return line([
    conversation.id,
    conversation.sessionId,
    storableText(conversation.title),
    storableText(conversation.model),
    conversation.metadata,
    conversation.pinned,
    conversation.lastSeq,
    conversation.createdAt,
    conversation.activeAt
  ])
}

function turnLine(turn: Turn): string {
  return line([
    turn.id,
    turn.conversationId,
    turn.seq,
    turn.parentSeq,
    turn.attempt,
    turn.kind,
    turn.superseded,
    storableText(turn.model),
    turn.metadata,
    storableText(turn.userText),
    storableText(turn.assistantText),
    turn.status,
    storableText(turn.finishReason),
    turn.error,
    storableText(turn.completionId),
    turn.detail,
    turn.createdAt
  ])
}

function line(fields: unknown[]): string {
  return `${JSON.stringify(fields)}\n`
}
