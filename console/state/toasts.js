import { createStore } from './store.js'

/** @typedef {{ key: number, text: string, kind: 'note' | 'error', undo?: () => void }} Toast */

export const toasts = createStore({ list: /** @type {Toast[]} */ ([]) })
let count = 0

/**
 * Shows a line for `ms`; with `undo` it can be taken back as long as it is shown. Returns what takes it away.
 * @param {string} text
 * @param {{ kind?: Toast['kind'], undo?: () => void, ms?: number }} [options]
 */
export function toast(text, { kind = 'note', undo, ms = 6000 } = {}) {
  const key = ++count
  const gone = () => toasts.set({ list: toasts.get().list.filter((one) => one.key !== key) })
  const takeBack = () => {
    gone()
    undo?.()
  }
  const shown = { key, text, kind, ...(undo && { undo: takeBack }) }
  toasts.set({ list: [...toasts.get().list.slice(-3), shown] })
  setTimeout(gone, ms)
  return gone
}

/** @param {unknown} err */
export function toastError(err) {
  if (err instanceof DOMException && err.name === 'AbortError') return
  toast(err instanceof Error ? err.message : String(err), { kind: 'error', ms: 9000 })
}
