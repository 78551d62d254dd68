/** OpenAI's error object, the only error body this service sends. */
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null }
}

interface ApiErrorOptions {
  /** The field, header or parameter at fault. */
  param?: string | null
  /** What went wrong underneath; goes to the log, never to the client. */
  cause?: unknown
  /** Extra response headers, such as `retry-after` (seconds). */
  headers?: Record<string, string>
}

/** An error meant for the client: an HTTP status, a code to branch on and a message to show. */
export class ApiError extends Error {
  readonly statusCode: number
  readonly code: string
  readonly param: string | null
  readonly headers: Record<string, string>

  constructor(statusCode: number, code: string, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'ApiError'
    this.statusCode = statusCode
    this.code = code
    this.param = options.param ?? null
    this.headers = options.headers ?? {}
  }
}

/** The body for an error; `type` follows from the status as it does at OpenAI. */
export function errorBody(
  statusCode: number,
  code: string | null,
  message: string,
  param: string | null = null
): ErrorBody {
  const type = statusCode < 500 ? 'invalid_request_error' : 'server_error'
  return { error: { message, type, param, code } }
}

/** The same 404 for a conversation that never was, was deleted, or belongs to another session. */
export function conversationNotFound(param: string | null = null): ApiError {
  return new ApiError(404, 'conversation_not_found', 'No such conversation.', { param })
}

/** A conversation that says more than is read for one request. */
export function conversationTooLarge(param: string | null = null, cause?: unknown): ApiError {
  const message =
    "The conversation's history is larger than this server puts in front of a request (MAX_HISTORY_BYTES)."
  return new ApiError(400, 'conversation_too_large', message, { param, cause })
}

/** OpenAI's answer to a second request at the same time in one conversation. */
export function conversationLocked(param: string | null = null): ApiError {
  const message = 'Another request is running in this conversation. Please try again in a few seconds.'
  return new ApiError(400, 'conversation_locked', message, { param })
}
