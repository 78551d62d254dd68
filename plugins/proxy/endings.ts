import type { FailedEnding } from '../../storage/persistence.ts'

/** What a client is told. */
export interface Notice {
  statusCode: number
  code: string
  message: string
  /** Trying again costs another answer and ends the same; official SDKs then do not. */
  incurable?: boolean
}

/** A way in which a turn can fail: what the row says, and what the client is told. */
export interface Failure extends FailedEnding, Notice {}

export const UNSAVED: Notice = {
  statusCode: 503,
  code: 'storage_unavailable',
  message: 'The answer could not be stored.',
  incurable: true
}

export const FAILURES = {
  unreachable: {
    status: 'failed',
    error: 'upstream_error',
    statusCode: 502,
    code: 'upstream_unreachable',
    message: 'The upstream could not be reached.'
  },
  refused: {
    status: 'failed',
    error: 'upstream_error',
    statusCode: 502,
    code: 'upstream_auth',
    message: "The upstream refused this server's credentials."
  },
  /** Its own status and body go to the client. */
  answeredWithError: {
    status: 'failed',
    error: 'upstream_error',
    statusCode: 502,
    code: 'upstream_error',
    message: 'The upstream answered with an error.'
  },
  unusable: {
    status: 'failed',
    error: 'upstream_error',
    statusCode: 502,
    code: 'upstream_error',
    message: 'The upstream answered with something that is not an answer.'
  },
  truncated: {
    status: 'incomplete',
    error: 'upstream_truncated',
    statusCode: 502,
    code: 'upstream_truncated',
    message: 'The upstream broke off its answer.'
  },
  silent: {
    status: 'incomplete',
    error: 'upstream_timeout',
    statusCode: 504,
    code: 'upstream_timeout',
    message: 'The upstream was silent for too long.'
  },
  tooLong: {
    status: 'incomplete',
    error: 'upstream_timeout',
    statusCode: 504,
    code: 'answer_timeout',
    message: 'The answer took longer than this server allows (MAX_ANSWER_MS).',
    incurable: true
  },
  tooLarge: {
    status: 'incomplete',
    error: 'answer_too_large',
    statusCode: 502,
    code: 'answer_too_large',
    message: 'The answer is larger than this server accepts (MAX_ANSWER_BYTES).',
    incurable: true
  },
  shutdown: {
    status: 'incomplete',
    error: 'server_shutdown',
    statusCode: 503,
    code: 'server_shutdown',
    message: 'The server is shutting down.'
  },
  disconnect: {
    status: 'incomplete',
    error: 'client_disconnect',
    statusCode: 499,
    code: 'client_disconnect',
    message: 'The client went away.'
  }
} as const satisfies Record<string, Failure>
