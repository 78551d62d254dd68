import type { Json, JsonObject } from '../../storage/contract.ts'
import { isObject } from '../../storage/json-value.ts'

/** Fields that name something: upstreams repeat them in every delta, so the last one counts. */
const NAMES = new Set(['role', 'id', 'type', 'name', 'index', 'call_id', 'format'])

/**
 * Adds a streamed delta to what has come so far, in place: strings are appended, list entries with an
 * `index` are merged by it, other values replaced; fields nobody knows are kept. Returns the number of
 * characters added.
 */
export function mergeDelta(target: JsonObject, delta: JsonObject): number {
  let added = 0
  for (const [key, value] of Object.entries(delta)) {
    if (key === '__proto__' || value === null) continue
    const current = target[key]
    if (typeof value === 'string' && Array.isArray(current)) {
      current.push({ type: 'text', text: value }) // `content` that began as parts and goes on as text
      added += value.length
    } else if (typeof value === 'string') {
      target[key] = typeof current === 'string' && !NAMES.has(key) ? current + value : value
      added += value.length
    } else if (Array.isArray(value)) {
      const list = Array.isArray(current) ? current : []
      target[key] = list
      for (const entry of value) added += mergeEntry(list, entry)
    } else if (isObject(value)) {
      const object = isObject(current) ? current : {}
      target[key] = object
      added += mergeDelta(object, value)
    } else {
      target[key] = value
      added += 8
    }
  }
  return added
}

/** Of the lists being merged, the entries that deltas with an `index` go to. */
const entriesOf = new WeakMap<Json[], Map<number, JsonObject>>()

function mergeEntry(list: Json[], entry: Json): number {
  if (!isObject(entry)) {
    list.push(entry)
    return typeof entry === 'string' ? entry.length : 8
  }
  const entries = entriesOf.get(list) ?? new Map<number, JsonObject>()
  entriesOf.set(list, entries)
  const { index } = entry
  let target = typeof index === 'number' ? entries.get(index) : undefined
  if (!target || startsAnother(target, entry)) {
    target = {}
    list.push(target)
    if (typeof index === 'number') entries.set(index, target)
  }
  return 8 + mergeDelta(target, entry)
}

/** Some upstreams give every tool call the same index; a new id that comes with a name is a new call. */
function startsAnother(target: JsonObject, entry: JsonObject): boolean {
  const named =
    isObject(entry.function) && typeof entry.function.name === 'string' && entry.function.name !== ''
  return named && typeof target.id === 'string' && Boolean(entry.id) && entry.id !== target.id
}
