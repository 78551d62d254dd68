/**
 * Where the service says that it keeps the turn; null when nothing is recorded.
 * @param {Headers} headers
 * @returns {import('./index.d.ts').Filed | null}
 */
export function filedIn(headers) {
  const conversationId = headers.get('x-conversation-id')
  const turnId = headers.get('x-turn-id')
  const seq = headers.get('x-turn-seq')
  return conversationId && turnId && seq ? { conversationId, turnId, seq: Number(seq) } : null
}
