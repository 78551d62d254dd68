import { chatOf } from './chat.js'
import { conversationsOf } from './conversations.js'
import { modelsOf } from './models.js'
import { createRequests } from './request.js'
import { turnsOf } from './turns.js'

/** @type {typeof import('./index.d.ts').createClient} */
export function createClient(options = {}) {
  const requests = createRequests(options)
  const turns = turnsOf(requests)
  return {
    conversations: conversationsOf(requests),
    turns,
    chat: chatOf(requests, turns),
    models: modelsOf(requests),
    stats: { get: async (query = {}, given) => requests.json('stats', { query: { ...query } }, given) },
    metrics: async (given) => requests.text('../metrics', {}, given)
  }
}
