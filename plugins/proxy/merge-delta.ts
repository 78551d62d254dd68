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

function mergeEntry(list: Json[], entry: Json): number {
  if (!isObject(entry)) {
    list.push(entry)
    return typeof entry === 'string' ? entry.length : 8
  }
  const index = entry.index
  let target = list.find((known) => isObject(known) && typeof index === 'number' && known.index === index)
  if (!isObject(target)) {
    target = {}
    list.push(target)
  }
  return mergeDelta(target, entry)
}
