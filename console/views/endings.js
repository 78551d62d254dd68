const WORDS = /** @type {Record<string, string>} */ ({
  client_disconnect: 'Stopped. What had come is kept.',
  upstream_error: 'The model’s server answered with an error.',
  upstream_truncated: 'The answer broke off. What had come is kept.',
  upstream_timeout: 'The model’s server was silent for too long.',
  answer_too_large: 'The answer was larger than this server keeps.',
  server_shutdown: 'The server was shut down. What had come is kept.',
  server_lost: 'The server was lost while it answered.'
})

/**
 * What there is to say about how a turn ended; null when it simply completed.
 * @param {import('../text/content.js').Turn} turn
 */
export function endingOf({ status, error, finish_reason }) {
  if (status === 'in_progress') return 'Answering…'
  if (error !== null) return WORDS[error] ?? `${status}: ${error}`
  if (finish_reason === 'length') return 'The answer reached the model’s length limit.'
  return finish_reason === 'content_filter' ? 'The model’s server cut the answer.' : null
}
