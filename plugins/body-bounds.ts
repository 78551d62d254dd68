import { ApiError } from '../errors.ts'
import { endOfString } from '../storage/json-string.ts'
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

/** Most members of one object: names that are all different cost a hundred times what entries of a list do. */
const MAX_MEMBERS = 10_000

/** The fault of a body that is not parsed yet, or null: to parse millions of values takes seconds. */
export function textFault(json: Buffer, { maxValues }: BodyBounds): ApiError | null {
  // A value takes two bytes at least, a member five.
  if (maxValues === 0 || json.length < Math.min(2 * maxValues, 5 * MAX_MEMBERS)) return null
  const { values, members } = count(json, maxValues)
  if (values > maxValues) return fault('body', `more than ${maxValues} values (MAX_JSON_VALUES)`)
  return members > MAX_MEMBERS ? fault('body', `an object with more than ${MAX_MEMBERS} members`) : null
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

/** How many values valid JSON holds, and members its largest object; stops soon above a bound. Of other text, some number. */
function count(json: Buffer, enough: number): { values: number; members: number } {
  let values = 1
  let members = 0
  const membersOf: number[] = [] // of each object that is open; of a list NaN, which stays that
  let opened = false // a list or object whose first value may still come
  for (let at = 0; at < json.length && values <= enough && members <= MAX_MEMBERS; at += 1) {
    const byte = json[at]
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue
    const closes = byte === 0x5d || byte === 0x7d // ] }
    // , or the first value
    if (byte === 0x2c || (opened && !closes)) {
      values += 1
      const own = (membersOf.pop() ?? 0) + 1
      membersOf.push(own)
      if (own > members) members = own
    }
    if (closes) membersOf.pop()
    opened = byte === 0x5b || byte === 0x7b // [ {
    if (opened) membersOf.push(byte === 0x7b ? 0 : Number.NaN)
    if (byte === 0x22) at = endOfString(json, at) - 1 // "
  }
  return { values, members }
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
