import { errorOf, TurnkeeperError } from './error.js'
import { searchOf } from './query.js'

/**
 * @typedef {object} Call
 * @property {string} [method]
 * @property {import('./query.js').Query} [query]
 * @property {unknown} [body]
 * @property {Record<string, string | undefined>} [headers] of the call itself; those of the caller go before
 * @property {boolean} [keepalive]
 */
/** @typedef {import('./index.d.ts').RequestOptions} RequestOptions */
/** @typedef {ReturnType<typeof createRequests>} Requests */

/**
 * Asks the service. `ask` gives the answer whatever its status; `json` and `text` give its body, and reject where it
 * is an error.
 * @param {import('./index.d.ts').ClientOptions} options
 */
export function createRequests(options) {
  const base = baseOf(options.baseUrl)

  /**
   * @param {string} path relative to the base
   * @param {Call} [call]
   * @param {RequestOptions} [given]
   */
  async function ask(path, { method = 'GET', query = {}, body, headers = {}, keepalive } = {}, given = {}) {
    const { signal } = given
    signal?.throwIfAborted()
    const url = new URL(path, base)
    url.search = searchOf(query)
    const key = typeof options.apiKey === 'function' ? await options.apiKey() : options.apiKey
    const json = body === undefined ? undefined : JSON.stringify(body)
    const sent = new Headers(json === undefined ? {} : { 'content-type': 'application/json' })
    if (key) sent.set('authorization', `Bearer ${key}`)
    for (const [name, value] of Object.entries({ ...options.headers, ...headers, ...given.headers })) {
      if (value !== undefined) sent.set(name, value)
    }
    /** @type {RequestInit} */
    const init = { method, headers: sent }
    if (json !== undefined) init.body = json
    if (keepalive !== undefined) init.keepalive = keepalive
    if (signal) init.signal = signal
    return reached(signal, () => (options.fetch ?? globalThis.fetch)(url, init))
  }

  /** @type {(path: string, call?: Call, given?: RequestOptions) => Promise<string>} */
  async function text(path, call, given) {
    const response = await ask(path, call, given)
    await assertOk(response, given?.signal)
    return reached(given?.signal, () => response.text())
  }

  /** @type {(path: string, call?: Call, given?: RequestOptions) => Promise<any>} */
  async function json(path, call, given) {
    const response = await ask(path, call, given)
    await assertOk(response, given?.signal)
    return jsonOf(response, given?.signal)
  }

  return { ask, text, json }
}

/**
 * Rejects with what the answer says, unless it is a success.
 * @param {Response} response
 * @param {AbortSignal} [signal]
 */
export async function assertOk(response, signal) {
  if (response.ok) return
  const text = await reached(signal, () => response.text())
  throw errorOf(response, parsed(text))
}

/**
 * The body of a success. Anything but an object is not the service's: a page of what stands in front of it, for one.
 * @param {Response} response
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function jsonOf(response, signal) {
  const body = parsed(await reached(signal, () => response.text()))
  if (typeof body === 'object' && body !== null) return body
  throw new TurnkeeperError('The answer is not JSON.', { status: response.status, code: 'unreadable_answer' })
}

/**
 * What `act` resolves to. An aborted signal's reason goes to the caller untouched; any other failure is the network's.
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {() => Promise<T>} act
 */
async function reached(signal, act) {
  try {
    return await act()
  } catch (cause) {
    signal?.throwIfAborted()
    throw new TurnkeeperError('The service could not be reached.', { code: 'network_error', cause })
  }
}

/**
 * @param {string} text
 * @returns {unknown}
 */
export function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * @param {string} [given]
 */
function baseOf(given) {
  const page = globalThis.document?.baseURI
  if (given === undefined && page === undefined) throw new TypeError('baseUrl is required outside of a page')
  const base = new URL(given ?? './v1', page)
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return base
}
