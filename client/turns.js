import { TurnkeeperError } from './error.js'
import { pagesOf } from './pages.js'
import { segment } from './query.js'

/**
 * @param {import('./request.js').Requests} requests
 * @returns {import('./index.d.ts').Client['turns']}
 */
export function turnsOf({ json }) {
  /** @param {string} conversationId */
  const at = (conversationId) => `conversations/${segment(conversationId)}/turns`
  return {
    list: (conversationId, query = {}, options) =>
      pagesOf({
        load: async (asked) => json(at(conversationId), { query: asked }, options),
        query: { ...query },
        next: ({ data }) => ({ [query.order === 'desc' ? 'before_seq' : 'after_seq']: data.at(-1)?.seq })
      }),
    get: async (conversationId, seq, options) => {
      const query = { after_seq: Math.max(0, seq - 1), before_seq: seq + 1, include: 'superseded' }
      const { data } = await json(at(conversationId), { query }, options)
      if (data[0]?.seq === seq) return data[0]
      throw new TurnkeeperError('No such turn.', {
        status: 404,
        type: 'invalid_request_error',
        code: 'turn_not_found'
      })
    }
  }
}
