import type { IncomingHttpHeaders } from 'node:http'
import { ApiError } from '../../errors.ts'
import { assertLoopbackName } from '../loopback-name.ts'
import type { Identify } from './identify.ts'

export const LOCAL_SESSION = 'local'

export interface LocalOptions {
  /** Whether only loopback names are answered; a server that others reach has names that nobody knows here. */
  loopbackOnly: boolean
  /** Browser origins that may call, beside the server's own. */
  allowedOrigins: string[]
}

/**
 * `AUTH=none`: everybody who reaches the server is the one local session. A browser reaches it on behalf of any page,
 * so what comes from a page of somewhere else is refused.
 */
export function identifyLocally({ loopbackOnly, allowedOrigins }: LocalOptions): Identify {
  return ({ headers }) => {
    if (loopbackOnly) assertLoopbackName(headers.host)
    assertOwnPage(headers, allowedOrigins)
    return LOCAL_SESSION
  }
}

/**
 * Browsers send `Origin` with whatever can change something and with whatever a script may read. Without it come
 * images, frames and links of pages; `Sec-Fetch-Site` tells those of other sites. They are refused too, links
 * included: nobody links to an API, and a page could tell from a window it opens how many results a search has.
 */
function assertOwnPage(headers: IncomingHttpHeaders, allowedOrigins: string[]): void {
  const { origin, host = '' } = headers
  const site = headers['sec-fetch-site']
  const own =
    origin === undefined
      ? site === undefined || site === 'same-origin' || site === 'none'
      : allowedOrigins.includes(origin) || /^https?:\/\/(.+)$/.exec(origin)?.[1] === host.toLowerCase()
  if (own) return
  const message = 'With AUTH=none pages of other origins are answered only if ALLOWED_ORIGIN names theirs.'
  throw new ApiError(403, 'forbidden_origin', message, { param: 'origin' })
}
