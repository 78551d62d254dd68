import type { Turn } from '../../storage/contract.ts'

/** A completed chat with this content. */
export function turnWith(fields: Partial<Turn> = {}): Turn {
  const seq = fields.seq ?? 1
  return {
    id: `turn_${seq.toString(16).padStart(32, '0')}`,
    conversationId: `conv_${'0'.repeat(32)}`,
    seq,
    parentSeq: seq - 1,
    attempt: 1,
    kind: 'chat',
    superseded: false,
    model: 'm',
    metadata: {},
    userText: null,
    assistantText: null,
    status: 'completed',
    finishReason: null,
    error: null,
    completionId: null,
    detail: null,
    createdAt: 1,
    ...fields
  }
}
