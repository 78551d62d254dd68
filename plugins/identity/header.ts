import { ApiError } from '../../errors.ts'
import type { Identify } from './identify.ts'

export const SESSION_HEADER = 'x-session-id'
const SESSION_ID = /^[\x21-\x7e]{1,256}$/

/** `AUTH=header`: the session is what a trusted gateway says in `x-session-id`. */
export const identifyByHeader: Identify = ({ headers }) => {
  const given = headers[SESSION_HEADER]
  if (typeof given === 'string' && SESSION_ID.test(given)) return given
  const message = given ? 'x-session-id must be 1 to 256 visible characters.' : 'x-session-id is missing.'
  throw new ApiError(401, 'session_required', message, { param: SESSION_HEADER })
}
