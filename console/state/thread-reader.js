import { client, isRefused } from './api.js'
import { isGoing } from './going.js'
import { toastError } from './toasts.js'

/** @typedef {import('../../client/index.d.ts').Turn} Turn */

const PAGE = 60
const LOOK_AGAIN_MS = 1000

/**
 * Reads the turns of a thread into its store.
 * @param {import('./store.js').Store<import('./thread-state.js').ThreadState>} store
 */
export function createReader(store) {
  let pages = readPages()
  let busy = false
  let closed = false
  let watched = false

  function readPages() {
    const { id } = store.get()
    return id === null
      ? null
      : client.turns.list(id, { order: 'desc', limit: PAGE, include: 'superseded' }).pages()
  }

  /** Reads the newest turns; what was read of it before is forgotten. */
  async function load() {
    const current = readPages()
    pages = current
    if (!current) return
    if (isGoing(store.get().id ?? '')) return store.set({ loading: false, missing: true })
    try {
      const [{ value }, conversation] = await Promise.all([
        current.next(),
        client.conversations.get(store.get().id ?? '')
      ])
      if (pages !== current) return
      store.set({
        conversation,
        turns: (value?.data ?? []).toReversed(),
        hasOlder: value?.has_more ?? false,
        loading: false,
        missing: false,
        failed: false
      })
      watchRunning()
    } catch (err) {
      const missing = /** @type {any} */ (err).status === 404
      store.set({ loading: false, missing, failed: !missing && !isRefused(err) })
    }
  }

  async function loadOlder() {
    const current = pages
    if (busy || !current || !store.get().hasOlder) return
    busy = true
    try {
      const { value } = await current.next()
      if (pages !== current) return
      store.set({
        turns: [...(value?.data ?? []).toReversed(), ...store.get().turns],
        hasOlder: value?.has_more ?? false
      })
    } catch (err) {
      if (!isRefused(err)) toastError(err)
    } finally {
      busy = false
    }
  }

  /** Reads what came since, and all anew where that has replaced something. */
  async function catchUp() {
    const { id, turns, live } = store.get()
    const newest = turns.at(-1)
    if (id === null || live || !newest) return
    try {
      const query = { after_seq: newest.seq, limit: 100, include: /** @type {const} */ ('superseded') }
      const { value } = await client.turns.list(id, query).pages().next()
      const added = value?.data ?? []
      if (added.length === 0 || store.get().turns !== turns || store.get().live) return
      const path = [newest, ...added]
      const goesOn = !newest.superseded && added.every(({ parent_seq }, at) => parent_seq === path[at]?.seq)
      if (!goesOn || value?.has_more) return await load()
      store.set({ turns: [...turns, ...added] })
      watchRunning()
    } catch (err) {
      isRefused(err) // it is read again with the next change
    }
  }

  /** Turns that another window, or another client, is running: asks until they have ended. */
  async function watchRunning() {
    if (watched) return
    watched = true
    while (!closed) {
      const running = store.get().turns.filter(({ status }) => status === 'in_progress')
      if (running.length === 0 || store.get().live) break
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
      const read = running.map(({ seq }) => client.turns.get(store.get().id ?? '', seq).catch(() => null))
      const ended = (await Promise.all(read)).filter((turn) => turn !== null && turn.status !== 'in_progress')
      // One that has ended may have replaced others.
      if (ended.length > 0 && !store.get().live) await load()
    }
    watched = false
  }

  return {
    load,
    loadOlder,
    catchUp,
    watchRunning,
    close() {
      closed = true
    }
  }
}
