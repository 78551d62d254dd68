/**
 * @typedef {import('../../client/index.d.ts').Turn} Turn
 * @typedef {ReturnType<typeof import('./live-answer.js').createLiveAnswer>} LiveAnswer
 * @typedef {{ messages: any[], parentSeq: number | null, answer: LiveAnswer, stop: () => void }} Live
 * @typedef {ReturnType<typeof initialState>} ThreadState
 */

/** What is known of a conversation; null is one that is yet to begin. @param {string | null} id */
export function initialState(id) {
  return {
    id,
    /** As it was when its turns were read; the list may know it better. */
    conversation: /** @type {import('./conversations.js').Conversation | null} */ (null),
    /** By seq, replaced ones included. */
    turns: /** @type {Turn[]} */ ([]),
    hasOlder: false,
    loading: id !== null,
    missing: false,
    failed: false,
    /** The seq of a replaced turn whose version is shown. */
    viewed: /** @type {number | null} */ (null),
    live: /** @type {Live | null} */ (null)
  }
}
