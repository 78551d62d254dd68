/** @typedef {import('../../client/index.d.ts').Turn} Turn */

/**
 * A turn of a service that records nothing: it is in this page alone, and goes with it.
 * @param {number} seq
 * @param {any[]} messages
 * @param {any} answer The message.
 * @param {'completed' | 'incomplete'} status
 * @returns {Turn}
 */
export function unfiledTurn(seq, messages, answer, status) {
  const detail = { input: messages, choices: [{ index: 0, message: answer, finish_reason: null }] }
  return {
    id: `unfiled_${seq}`,
    object: 'conversation.turn',
    conversation_id: '',
    seq,
    parent_seq: seq - 1,
    superseded: false,
    kind: 'chat',
    model: null,
    metadata: {},
    attempt: 1,
    created_at: Math.floor(Date.now() / 1000),
    user_text: null,
    assistant_text: null,
    status,
    finish_reason: null,
    error: null,
    completion_id: null,
    detail
  }
}

/** What the next request says of it, for nobody else knows. @param {Turn} turn */
export function messagesOfUnfiled({ detail }) {
  const { input, choices } = /** @type {any} */ (detail)
  return [...input, { role: 'assistant', content: choices[0].message.content }]
}
