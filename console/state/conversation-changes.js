import { client, isRefused } from './api.js'
import { conversations, drop, put, reload, titleOf } from './conversations.js'
import { goLater } from './going.js'
import { route, show } from './route.js'
import { hearOthers, tellOthers } from './tabs.js'
import { toast, toastError } from './toasts.js'

/** @typedef {import('./conversations.js').Conversation} Conversation */

const UNDO_MS = 6000

/** Reads one again, after a turn of it. @param {string} id */
export async function refresh(id) {
  try {
    put(await client.conversations.get(id))
  } catch (err) {
    if (!isRefused(err)) drop(id)
  }
}

/**
 * @param {string} id
 * @param {import('../../client/index.d.ts').ConversationChanges} changes
 */
export async function change(id, changes) {
  try {
    put(await client.conversations.update(id, changes))
    tellOthers({ kind: 'changed', id })
  } catch (err) {
    if (!isRefused(err)) toastError(err)
  }
}

/** Takes it out of the list, and deletes it for good when nobody wants it back. @param {Conversation} row */
export function remove(row) {
  const { id } = row
  const wasShown = route.get().id === id
  const stay = goLater(id, UNDO_MS, () => {
    gone()
    deleteNow(row)
  })
  drop(id)
  if (wasShown) show(null)
  const gone = toast(`Deleted “${titleOf(row)}”`, {
    ms: UNDO_MS,
    undo: () => {
      stay()
      putBack(row)
      if (wasShown) show(id)
    }
  })
}

/** @param {Conversation} row */
async function deleteNow(row) {
  try {
    await client.conversations.delete(row.id, { keepalive: true })
    tellOthers({ kind: 'deleted', id: row.id })
  } catch (err) {
    if (/** @type {any} */ (err).status === 404) return // it was gone already
    if (!isRefused(err)) toastError(err)
    putBack(row)
  }
}

/** @param {Conversation} row */
function putBack(row) {
  put(row)
  if (conversations.get().query !== '') reload() // whether it is found, and where, the service knows
}

hearOthers(({ kind, id }) => {
  if (kind === 'changed') return void refresh(id)
  drop(id)
  if (route.get().id === id) show(null)
})
