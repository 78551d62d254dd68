import { createStore } from './store.js'

/**
 * What the address shows: a conversation, the figures, or a new chat.
 * @typedef {{ view: 'chat', id: string | null } | { view: 'stats', id: null }} Route
 */

export const route = createStore(/** @type {Route} */ (read()))

addEventListener('hashchange', () => route.set(read()))

/** @returns {Route} */
function read() {
  if (location.hash === '#/stats') return { view: 'stats', id: null }
  return { view: 'chat', id: /^#\/c\/(\w+)$/.exec(location.hash)?.[1] ?? null }
}

/** @param {string | null} id */
export function pathOf(id) {
  return id === null ? '#/' : `#/c/${id}`
}

/** Shows the conversation, or with null a new chat. @param {string | null} id */
export function show(id) {
  location.hash = pathOf(id)
}

/** The new chat that is shown has become this conversation: not a step to go back to. @param {string} id */
export function becomes(id) {
  history.replaceState(null, '', pathOf(id))
  route.set(read())
}
