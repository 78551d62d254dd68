import { errorOf, isObject, TurnkeeperError } from './error.js'
import { jsonOf, parsed } from './request.js'
import { createSseReader } from './sse.js'

/** @typedef {import('./index.d.ts').ChatChunk} ChatChunk */

/**
 * Reads a streamed answer to its end mark. Rejects with the error that the stream tells of, or with
 * `stream_truncated` where it breaks off.
 * @param {Response} response a success
 * @param {(chunk: ChatChunk) => void} onChunk
 */
export async function readChat(response, onChunk) {
  const isStream = response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream')
  if (!isStream || !response.body) return onChunk(asChunk(await jsonOf(response)))
  const body = response.body.getReader()
  let finished = false
  let marked = false

  const sse = createSseReader((data) => {
    if (marked) return
    marked = data.startsWith('[DONE]')
    const event = marked ? null : parsed(data)
    if (!isObject(event)) return // what is no chunk is no part of the answer
    if (event.error !== undefined && event.error !== null) throw errorOf(response, event)
    const chunk = /** @type {ChatChunk} */ ({
      ...event,
      choices: Array.isArray(event.choices) ? event.choices : []
    })
    finished ||= chunk.choices.some((choice) => typeof choice?.finish_reason === 'string')
    onChunk(chunk)
  })

  try {
    while (!marked) {
      const { done, value } = await body.read().catch((cause) => Promise.reject(truncated(response, cause)))
      if (value) sse.push(value)
      if (!done) continue
      sse.end()
      if (!marked && !finished) throw truncated(response)
      return
    }
    void drain(body)
  } catch (error) {
    body.cancel().catch(() => {})
    throw error
  }
}

/**
 * The text that a chunk brings for choice 0.
 * @param {ChatChunk} chunk
 */
export function textIn({ choices }) {
  const first = choices.find((choice, position) => (choice?.index ?? position) === 0)
  const content = first?.delta?.content
  return typeof content === 'string' ? content : ''
}

/**
 * An upstream that does not stream answers in JSON all the same.
 * @param {Record<string, any>} completion
 * @returns {ChatChunk}
 */
function asChunk({ choices, ...rest }) {
  const whole = Array.isArray(choices) ? choices : []
  return { ...rest, choices: whole.map(({ message, ...choice }) => ({ ...choice, delta: message ?? {} })) }
}

/**
 * @param {Response} response
 * @param {unknown} [cause]
 */
function truncated({ status }, cause) {
  return new TurnkeeperError('The stream broke off.', { status, code: 'stream_truncated', cause })
}

/**
 * Takes what follows the end mark, so that the connection can be used again.
 * @param {ReadableStreamDefaultReader<Uint8Array>} body
 */
async function drain(body) {
  try {
    while (!(await body.read()).done);
  } catch {
    // the answer was whole
  }
}
