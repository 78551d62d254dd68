import { useEffect, useReducer, useRef } from '../preact.js'

/**
 * @template T
 * @typedef {{ get(): T, set(patch: Partial<T>): void, subscribe(listener: () => void): () => void }} Store
 */

/**
 * State that views can follow. `set` replaces the fields given.
 * @template T
 * @param {T} initial
 * @returns {Store<T>}
 */
export function createStore(initial) {
  let state = initial
  const listeners = new Set()
  return {
    get: () => state,
    set(patch) {
      state = { ...state, ...patch }
      for (const listener of [...listeners]) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}

/**
 * What `select` takes from the store; the view is drawn again when that is another value.
 * @template T, S
 * @param {Store<T>} store
 * @param {(state: T) => S} select
 * @returns {S}
 */
export function useStore(store, select) {
  const [, redraw] = useReducer((/** @type {number} */ count) => count + 1, 0)
  const shown = useRef(/** @type {{ select: (state: T) => S, value: S } | null} */ (null))
  shown.current = { select, value: select(store.get()) }
  useEffect(() => {
    const look = () => {
      const { select, value } = shown.current ?? { select: () => undefined, value: undefined }
      if (select(store.get()) !== value) redraw(undefined)
    }
    look() // it may have changed between the drawing and now
    return store.subscribe(look)
  }, [store])
  return shown.current.value
}
