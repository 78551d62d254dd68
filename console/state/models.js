import { client, isRefused } from './api.js'
import { createStore } from './store.js'

const KEY = 'turnkeeper-model'

export const models = createStore({
  ids: /** @type {string[]} */ ([]),
  chosen: localStorage.getItem(KEY) ?? '',
  failed: false
})

export async function loadModels() {
  try {
    const ids = (await client.models.list()).map(({ id }) => id).sort()
    models.set({ ids, failed: false })
  } catch (err) {
    models.set({ failed: !isRefused(err) })
  }
}

/** @param {string} id */
export function chooseModel(id) {
  localStorage.setItem(KEY, id)
  models.set({ chosen: id })
}

/**
 * The model to ask: the one chosen here, if the upstream has it, else the conversation's, else the first. Undefined
 * when the upstream lists none; the service may have a default.
 * @param {string | null | undefined} used
 */
export function modelFor(used) {
  const { ids, chosen } = models.get()
  return [chosen, used ?? '', ids[0] ?? ''].find((id) => ids.includes(id))
}
