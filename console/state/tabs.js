/**
 * What other windows of this page have changed.
 * @typedef {{ kind: 'changed' | 'deleted', id: string }} Change
 */

const channel = new BroadcastChannel('turnkeeper')

/** Tells the other windows. @param {Change} change */
export function tellOthers(change) {
  channel.postMessage(change)
}

/** @param {(change: Change) => void} listener */
export function hearOthers(listener) {
  channel.addEventListener('message', ({ data }) => listener(data))
}
