import { becomes, route } from './route.js'
import { hearOthers } from './tabs.js'
import { createThread } from './thread.js'

/** @typedef {import('./thread.js').Thread} Thread */

/** Threads whose answer goes on while another is shown. @type {Map<string, Thread>} */
const live = new Map()
let shown = createThread(null, onBegan)

/** The thread of a conversation, or a new one. @param {string | null} id @returns {Thread} */
export function threadOf(id) {
  if (shown.store.get().id === id && (id !== null || !shown.store.get().live)) return shown
  const left = shown.store.get()
  if (left.live && left.id !== null) live.set(left.id, shown)
  else if (!left.live) shown.close()
  for (const [key, thread] of live) if (!thread.store.get().live) live.delete(key)
  const known = id === null ? undefined : live.get(id)
  shown = known ?? createThread(id, onBegan)
  if (!known) shown.load()
  return shown
}

/** @param {Thread} thread @param {string} id */
function onBegan(thread, id) {
  live.set(id, thread)
  if (thread === shown && route.get().view === 'chat' && route.get().id === null) becomes(id)
}

hearOthers(({ kind, id }) => {
  if (kind === 'changed' && shown.store.get().id === id) shown.catchUp()
})
