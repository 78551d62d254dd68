import type { Turn } from '../../client/index.d.ts'

/** A completed chat turn, as the API gives it. */
export function turnOf(fields: Partial<Turn> = {}): Turn {
  return {
    id: 'turn_1',
    object: 'conversation.turn',
    conversation_id: 'conv_1',
    seq: 1,
    parent_seq: 0,
    superseded: false,
    kind: 'chat',
    model: 'm',
    metadata: {},
    attempt: 1,
    created_at: 1,
    user_text: 'Hi',
    assistant_text: 'Hello',
    status: 'completed',
    finish_reason: 'stop',
    error: null,
    completion_id: null,
    detail: null,
    ...fields
  }
}
