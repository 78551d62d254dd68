import { TurnkeeperError } from './error.js'

/**
 * @param {import('./request.js').Requests} requests
 * @returns {import('./index.d.ts').Client['models']}
 */
export function modelsOf({ json }) {
  return {
    async list(options) {
      const { data } = await json('models', {}, options)
      if (Array.isArray(data)) return data
      throw new TurnkeeperError('The upstream does not list models.', {
        status: 200,
        code: 'unreadable_answer'
      })
    }
  }
}
