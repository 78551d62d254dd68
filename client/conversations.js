import { pagesOf } from './pages.js'
import { segment } from './query.js'

/**
 * @param {import('./request.js').Requests} requests
 * @returns {import('./index.d.ts').Client['conversations']}
 */
export function conversationsOf({ json }) {
  /** @param {string} id */
  const at = (id) => `conversations/${segment(id)}`
  return {
    create: async (body = {}, options) => json('conversations', { method: 'POST', body }, options),
    list: (query = {}, options) =>
      pagesOf({
        load: (asked) => json('conversations', { query: asked }, options),
        query: { ...query },
        next: ({ first_id, last_id }) =>
          query.before === undefined ? { after: last_id ?? '' } : { before: first_id ?? '' },
        backwards: query.before !== undefined
      }),
    get: async (id, options) => json(at(id), {}, options),
    update: async (id, body, options) => json(at(id), { method: 'POST', body }, options),
    delete: async (id, options = {}) => {
      const { keepalive } = options
      return json(at(id), { method: 'DELETE', ...(keepalive !== undefined && { keepalive }) }, options)
    }
  }
}
