import { TurnkeeperError } from './error.js'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
/** How long it is asked again and again. */
const PATIENCE_MS = 60_000

/**
 * Reads a turn until it has ended; gives it as it then is when patience is over. A service that cannot be reached or
 * is busy may be so for a moment alone.
 * @param {() => Promise<import('./index.d.ts').Turn>} read
 * @param {AbortSignal} [signal]
 */
export async function endedTurn(read, signal) {
  const until = Date.now() + PATIENCE_MS
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    const isLast = Date.now() + wait > until
    try {
      const turn = await read()
      if (turn.status !== 'in_progress' || isLast) return turn
    } catch (error) {
      if (isLast || !mayPass(error)) throw error
    }
    await pause(wait, signal)
  }
}

/** @param {unknown} error */
function mayPass(error) {
  return (
    error instanceof TurnkeeperError && (error.status === 0 || error.status === 429 || error.status >= 500)
  )
}

/**
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
async function pause(ms, signal) {
  const { promise, resolve } = Promise.withResolvers()
  const timer = setTimeout(resolve, ms)
  signal?.addEventListener('abort', resolve)
  await promise
  clearTimeout(timer)
  signal?.removeEventListener('abort', resolve)
  signal?.throwIfAborted()
}
