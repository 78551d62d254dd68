import type { FailedEnding } from '../../storage/persistence.ts'

/** A way in which a turn can fail: what the row says, and what the client is told. */
export interface Failure {
  status: FailedEnding['status']
  error: FailedEnding['error']
  statusCode: number
  /** For the client, where it says more than `error`. */
  code?: string
  message: string
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
    message: 'The upstream answered with an error.'
  },
  unusable: {
    status: 'failed',
    error: 'upstream_error',
    statusCode: 502,
    message: 'The upstream answered with something that is not an answer.'
  },
  truncated: {
    status: 'incomplete',
    error: 'upstream_truncated',
    statusCode: 502,
    message: 'The upstream broke off its answer.'
  },
  silent: {
    status: 'incomplete',
    error: 'upstream_timeout',
    statusCode: 504,
    message: 'The upstream was silent for too long.'
  },
  tooLarge: {
    status: 'incomplete',
    error: 'answer_too_large',
    statusCode: 502,
    message: 'The answer is larger than this server accepts (MAX_ANSWER_BYTES).'
  },
  shutdown: {
    status: 'incomplete',
    error: 'server_shutdown',
    statusCode: 503,
    message: 'The server is shutting down.'
  },
  disconnect: {
    status: 'incomplete',
    error: 'client_disconnect',
    statusCode: 499,
    message: 'The client went away.'
  }
} as const satisfies Record<string, Failure>
