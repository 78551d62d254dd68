import { ApiError } from '../errors.ts'
import { isTooDeep } from '../storage/json-value.ts'
import { pathOf } from './schema-fault.ts'

/** What a request body may hold; 0 takes the second and the third bound away. */
export interface BodyBounds {
  /** Levels of lists and objects within each other. */
  maxDepth: number
  /** Values of any kind: keys are not counted. */
  maxValues: number
  /** Messages of a chat, input items of a response, items of a conversation. */
  maxMessages: number
}

const LISTS = ['messages', 'input', 'items']

/** The fault of a body that is not parsed yet, or null: to parse millions of values takes seconds. */
export function textFault(json: Buffer, { maxValues }: BodyBounds): ApiError | null {
  // A value takes two bytes at least.
  if (maxValues === 0 || json.length < 2 * maxValues || countValues(json, maxValues) <= maxValues) return null
  return fault('body', `more than ${maxValues} values (MAX_JSON_VALUES)`)
}

/** The fault of a parsed body, or null. */
export function bodyFault(body: unknown, bounds: BodyBounds): ApiError | null {
  if (typeof body !== 'object' || body === null) return null
  const { maxDepth, maxMessages } = bounds
  for (const name of LISTS) {
    const list = (body as Record<string, unknown>)[name]
    if (maxMessages > 0 && Array.isArray(list) && list.length > maxMessages)
      return fault(name, `more than ${maxMessages} entries (MAX_MESSAGES)`)
  }
  if (!isTooDeep(body as never, maxDepth)) return null
  return fault(deepPath(body, maxDepth), `nested deeper than ${maxDepth} levels (MAX_JSON_DEPTH)`)
}

/** How many values valid JSON holds; stops soon above `enough`. Of other text, some number. */
function countValues(json: Buffer, enough: number): number {
  let count = 1
  let opened = false // a list or object whose first value may still come
  for (let at = 0; at < json.length && count <= enough; at += 1) {
    const byte = json[at]
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
    if (byte === 0x2c) count += 1 // ,
    const closes = byte === 0x5d || byte === 0x7d // ] }
    if (opened && !closes) count += 1
    opened = byte === 0x5b || byte === 0x7b // [ {
    if (byte !== 0x22) continue
    for (at += 1; at < json.length && json[at] !== 0x22; at += 1) if (json[at] === 0x5c) at += 1 // \
  }
  return count
}

/** The beginning of the way to something that lies deeper than `maxDepth`. */
function deepPath(body: object, maxDepth: number): string {
  const open: { value: object; path: string[] }[] = [{ value: body, path: [] }]
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.path.length >= maxDepth) return pathOf(next.path.slice(0, 3)) || 'body'
    for (const [key, value] of Object.entries(next.value)) {
      if (typeof value === 'object' && value !== null) open.push({ value, path: [...next.path, key] })
    }
  }
  return 'body'
}

function fault(param: string, reason: string): ApiError {
  return new ApiError(400, 'invalid_value', `Invalid '${param}': ${reason}.`, { param })
}
