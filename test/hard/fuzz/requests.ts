import type { RouteOfServer } from '../../helper/watched-server.ts'
import { type FuzzBody, randomBody } from './bodies.ts'
import { type Dice, ODD_TEXTS } from './odd.ts'

export interface FuzzRequest extends FuzzBody {
  method: string
  path: string
  headers: Record<string, string>
}

export const SESSIONS = ['ann', 'ben'] as const

const QUERY_NAMES = [
  ...['limit', 'order', 'after', 'before', 'after_seq', 'before_seq', 'include', 'pinned', 'q', 'metadata'],
  ...['model', 'stream', 'starting_after', 'dry_run', '__proto__', 'constructor', 'toString', 'a.b', '']
]
const BRACKETS = [
  '',
  '',
  '',
  '',
  '[]',
  '[a]',
  '[0]',
  '[99999]',
  '[a][b][c]',
  '[__proto__]',
  '[',
  ']',
  '[[]]',
  '%5B%5D'
]
const GOOD_VALUES = ['1', '20', '100', 'asc', 'desc', 'true', 'false', 'superseded', 'Hi', 'b']

const ODD_HEADERS: [string, string[]][] = [
  ['x-conversation-id', ODD_TEXTS as string[]],
  ['x-parent-seq', ['0', '1', '2', '-1', '1e3', '2147483647', '99999999999', 'a', '']],
  ['x-on-disconnect', ['abort', 'finish', 'linger', '']],
  ['idempotency-key', ['k1', 'k2', 'k3', 'k4', 'x'.repeat(255), 'x'.repeat(256), '', '__proto__', '\xff']],
  ['x-stainless-retry-count', ['0', '1', '2', '-1', 'x']],
  ['origin', ['http://localhost:1', 'null', 'http://evil', '', 'x'.repeat(1_000), '\xff']],
  ['access-control-request-method', ['POST', 'x', '']],
  ['access-control-request-headers', ['authorization', ',,,', 'x'.repeat(2_000)]],
  ['accept', ['text/event-stream', '', '*/*;q=x', 'x'.repeat(2_000)]],
  ['accept-encoding', ['gzip', 'br;q=nan', '*']],
  ['accept-version', ['1.x', '*']],
  ['authorization', ['Bearer x', 'Basic %', 'Bearer', '', 'x'.repeat(4_000)]],
  ['cookie', ['a=b', '=;=;', '__proto__=1', 'x'.repeat(4_000)]],
  ['content-encoding', ['gzip', 'identity', 'x']],
  ['expect', ['100-continue']],
  ['forwarded', ['for=x;host=evil', '"']],
  ['host', ['localhost', 'evil', '[::1]', '127.0.0.1:x', 'a b', '', '\xff']],
  ['if-none-match', ['*', 'W/"x"']],
  ['range', ['bytes=0-1', 'bytes=9-1', 'x']],
  ['te', ['trailers', 'x']],
  ['traceparent', ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x', '00-00-00-00']],
  ['tracestate', ['a=b', ',,,', 'x'.repeat(1_000)]],
  ['baggage', ['a=b', '%%%']],
  ['x-forwarded-for', ['1.2.3.4', 'x', '']],
  ['x-http-method-override', ['DELETE']],
  ['x-request-id', ['x', '\xff', 'x'.repeat(1_000)]],
  ['__proto__', ['x']],
  ['constructor', ['x']]
]
const ODD_SESSIONS = ['', ' ', 'x'.repeat(257), '\xff', 'a b', '__proto__', 'nobody', 'constructor']
const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'QUERY'
]

/** A request to `route` that looks like one but need not be. Half carry a good credential and ids that exist. */
export function randomRequest(dice: Dice, route: RouteOfServer, ids: readonly string[]): FuzzRequest {
  const good = dice.once(2)
  const knownId = () => (good && ids.length > 0 ? dice.of(ids) : dice.of(ODD_TEXTS))
  const method = dice.once(40) ? dice.of(METHODS) : route.method
  let path = route.url.replaceAll(/:\w+|\*/g, () => (good || dice.once(3) ? knownId() : dice.of(ODD_TEXTS)))
  if (dice.once(60))
    path = dice.of([`/${path}`, `${path}/`, path.toUpperCase(), `${path}%20`, `${path};x`, '/'])
  if (dice.once(3)) path += `?${randomQuery(dice, route.names, knownId)}`
  const session = good || dice.once(2) ? dice.of(SESSIONS) : dice.of(ODD_SESSIONS)
  const headers: Record<string, string> = { 'x-session-id': session }
  if (!good && dice.once(8)) delete headers['x-session-id']
  for (let count = dice.below(3) * dice.below(2); count > 0; count--) {
    const [name, values] = dice.of(ODD_HEADERS)
    headers[name] = sendable(dice.of(values))
  }
  if (good && dice.once(12)) headers['x-conversation-id'] = sendable(knownId())
  const bodiless = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  if (bodiless && !dice.once(15))
    return { method, path: encoded(path), headers, text: undefined, type: undefined }
  const body = randomBody(dice, route.url, route.names, knownId)
  return { method, path: encoded(path), headers, ...body }
}

function randomQuery(dice: Dice, names: readonly string[], knownId: () => string): string {
  const pairs = Array.from({ length: 1 + dice.below(3) }, () => {
    const name = dice.of(names.length > 0 && dice.once(2) ? names : QUERY_NAMES)
    const value = dice.of([dice.of(GOOD_VALUES), dice.of(GOOD_VALUES), knownId(), dice.of(ODD_TEXTS)])
    return `${name}${dice.of(BRACKETS)}=${value}`
  })
  return dice.once(30) ? dice.of(['&&&', '=', '?', 'a&a&a', '%', 'a='.repeat(500), '[]=[]']) : pairs.join('&')
}

/** What an HTTP client lets through; the rest is for bare sockets. */
function encoded(path: string): string {
  const target = path.startsWith('/') || path === '*' ? path : `/${path}`
  return target.toWellFormed().replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent)
}

function sendable(value: string): string {
  return value.replaceAll(/[^\x20-\xff]+/gu, '?').trim()
}
