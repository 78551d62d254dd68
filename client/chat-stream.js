import { readChat, textIn } from './chat-events.js'
import { filedIn } from './filed.js'
import { createLog } from './log.js'
import { assertOk } from './request.js'

/** @typedef {import('./index.d.ts').ChatStream} ChatStream */
/** @typedef {import('./index.d.ts').Filed} Filed */

/**
 * An answer under way. It is read as it comes, whether or not anybody iterates: a connection that nobody reads would
 * be closed by the service.
 * @param {object} exchange
 * @param {(signal: AbortSignal) => Promise<Response>} exchange.ask
 * @param {(filed: Filed) => Promise<import('./index.d.ts').Turn>} exchange.storedTurn once it has ended
 * @param {AbortSignal | undefined} exchange.signal the caller's
 * @returns {ChatStream}
 */
export function openChatStream({ ask, storedTurn, signal }) {
  const stopping = new AbortController()
  /** @type {ReturnType<typeof createLog<import('./index.d.ts').ChatChunk>>} */
  const log = createLog()
  /** @type {PromiseWithResolvers<Filed | null>} */
  const filed = Promise.withResolvers()
  filed.promise.catch(() => {}) // not everybody asks
  /** @type {Filed | null} Also where an error answer says so. */
  let place = null
  /** @type {null | { error: unknown }} Why there is no answer at all. */
  let refused = null

  async function run() {
    let answered = false
    try {
      const response = await ask(signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal)
      place = filedIn(response.headers)
      if (place) filed.resolve(place)
      await assertOk(response)
      answered = true
      filed.resolve(place)
      await readChat(response, log.push)
      log.end()
    } catch (thrown) {
      if (stopping.signal.aborted) {
        filed.resolve(place)
        return log.end()
      }
      const error = signal?.aborted ? signal.reason : thrown
      if (!answered) refused = { error }
      filed.reject(error)
      log.fail(error)
    }
  }
  const ended = run()

  /** @returns {void} */
  const stop = () => stopping.abort()

  /**
   * What `read` gives; whoever leaves early has stopped the answer.
   * @template T
   * @param {() => AsyncGenerator<T, void>} read
   */
  async function* untilLeft(read) {
    let left = true
    try {
      for await (const entry of read()) {
        signal?.throwIfAborted()
        if (stopping.signal.aborted) return
        yield entry
      }
      left = false
    } catch (error) {
      left = false
      throw error
    } finally {
      if (left) stop()
    }
  }

  async function* texts() {
    for await (const chunk of log.read()) {
      const text = textIn(chunk)
      if (text !== '') yield text
    }
  }

  return {
    filed: filed.promise,
    stop,
    chunks: () => untilLeft(log.read),
    [Symbol.asyncIterator]: () => untilLeft(texts),
    async turn() {
      await ended
      signal?.throwIfAborted()
      if (place) return storedTurn(place)
      if (refused) throw refused.error
      return null
    }
  }
}
