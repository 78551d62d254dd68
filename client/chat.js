import { openChatStream } from './chat-stream.js'
import { filedIn } from './filed.js'
import { assertOk, jsonOf } from './request.js'
import { endedTurn } from './stored-turn.js'

/**
 * @param {import('./request.js').Requests} requests
 * @param {import('./index.d.ts').Client['turns']} turns
 * @returns {import('./index.d.ts').Client['chat']}
 */
export function chatOf({ ask }, turns) {
  /**
   * @param {object} body
   * @param {import('./index.d.ts').ChatOptions} options
   */
  const post = (body, options) =>
    ask('chat/completions', { method: 'POST', body, headers: headersOf(options) }, options)

  return {
    async create(body, options = {}) {
      const response = await post(body, options)
      await assertOk(response, options.signal)
      return { completion: await jsonOf(response, options.signal), filed: filedIn(response.headers) }
    },

    stream(body, options = {}) {
      const { signal, headers } = options
      const reading = { ...(signal && { signal }), ...(headers && { headers }) }
      return openChatStream({
        ask: (either) => post({ ...body, stream: true }, { ...options, signal: either }),
        storedTurn: ({ conversationId, seq }) =>
          endedTurn(() => turns.get(conversationId, seq, reading), signal),
        signal
      })
    }
  }
}

/** @param {import('./index.d.ts').ChatOptions} options */
function headersOf({ conversationId, parentSeq, onDisconnect, idempotencyKey }) {
  return {
    'x-conversation-id': conversationId,
    'x-parent-seq': parentSeq?.toString(),
    'x-on-disconnect': onDisconnect,
    'idempotency-key': idempotencyKey
  }
}
