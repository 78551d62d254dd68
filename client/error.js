/**
 * What every call rejects with; see index.d.ts.
 * @implements {Declared}
 * @typedef {import('./index.d.ts').TurnkeeperError} Declared
 */
export class TurnkeeperError extends Error {
  /**
   * @param {string} message
   * @param {Partial<Pick<Declared, 'status' | 'code' | 'param' | 'type' | 'retryAfterSeconds' | 'cause'>>} [details]
   */
  constructor(
    message,
    { status = 0, code = null, param = null, type = null, retryAfterSeconds = null, cause } = {}
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'TurnkeeperError'
    this.status = status
    this.code = code
    this.param = param
    this.type = type
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/**
 * The error that an answer tells of. Whatever stands in front of the service may answer in a shape of its own.
 * @param {Response} response
 * @param {unknown} body `{ error: { message, type, param, code } }`, or anything else
 */
export function errorOf(response, body) {
  const error = isObject(body) ? body.error : null
  const fallback = response.ok ? 'The answer failed.' : response.statusText || `HTTP ${response.status}`
  const { message, type, param, code } = isObject(error) ? error : { message: error }
  return new TurnkeeperError(textOr(message, fallback), {
    status: response.status,
    type: textOr(type, null),
    param: textOr(param, null),
    code: typeof code === 'number' ? String(code) : textOr(code, null),
    retryAfterSeconds: secondsOf(response.headers.get('retry-after'))
  })
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * @template T
 * @param {unknown} value
 * @param {T} otherwise
 */
function textOr(value, otherwise) {
  return typeof value === 'string' && value !== '' ? value : otherwise
}

/**
 * Of a `retry-after`: seconds, or an instant.
 * @param {string | null} value
 */
function secondsOf(value) {
  if (value === null || value.trim() === '') return null
  const seconds = Number(value)
  if (!Number.isNaN(seconds)) return Math.max(0, seconds)
  const instant = Date.parse(value)
  return Number.isNaN(instant) ? null : Math.max(0, (instant - Date.now()) / 1000)
}
