import { isLoopback } from '../config.ts'
import { ApiError } from '../errors.ts'

/**
 * Throws 403 `forbidden_host` unless the request was made to a loopback name: a page of another name that has been made
 * to resolve to this machine (DNS rebinding), or a proxy on it, must not be taken for its user.
 */
export function assertLoopbackName(host = ''): void {
  if (isLoopback(host.replace(/:\d*$/, '').replace(/^\[|\]$/g, ''))) return
  const message = 'Without a credential this server answers to its loopback names alone.'
  throw new ApiError(403, 'forbidden_host', message, { param: 'host' })
}
