import type { Json, JsonObject } from '../../storage/contract.ts'
import { isObject } from '../../storage/json-value.ts'

type ListName = 'content' | 'summary'

/** A part that a delta begins when no event announced it. */
export interface PartShape {
  list: ListName
  type: string
  /** The field that the delta continues. */
  field: string
}

/** One output item as far as it came. */
export interface GatheredItem {
  readonly id: string | null
  readonly type: Json | undefined
  readonly done: boolean
  /** Characters gathered. */
  readonly size: number
  /** Takes the item's own object, and keeps what came in pieces where that leaves it out. */
  take(item: JsonObject, done: boolean): void
  addPart(list: ListName, index: number | null, part: JsonObject): void
  replacePart(list: ListName, index: number | null, part: JsonObject): void
  extendPart(shape: PartShape, index: number | null, delta: string, logprobs: Json | undefined): void
  replaceText(shape: PartShape, index: number | null, text: string): void
  annotate(index: number | null, position: number | null, annotation: Json): void
  extendField(field: string, delta: string): void
  replaceField(field: string, value: string): void
  toJson(): JsonObject
}

/** Parts by their index, which may leave gaps; `last` is where an event without an index belongs. */
interface Parts {
  byIndex: Map<number, Json>
  last: number
}

/** Fields of items that come in pieces. */
const FIELDS = ['arguments', 'input', 'code']

export function createItem(first: JsonObject): GatheredItem {
  let item = first
  let done = false
  let size = weigh(first)
  const lists: Record<ListName, Parts> = { content: partsOf(first.content), summary: partsOf(first.summary) }

  function partOf({ list, type, field }: PartShape, index: number | null): JsonObject {
    const parts = lists[list]
    const at = index ?? Math.max(parts.last, 0)
    const found = parts.byIndex.get(at)
    if (isObject(found)) return found
    const part: JsonObject = { type, [field]: '', ...(type === 'output_text' && { annotations: [] }) }
    put(parts, at, part)
    return part
  }

  function put(parts: Parts, index: number, part: JsonObject): void {
    size += weigh(part) - weigh(parts.byIndex.get(index))
    parts.byIndex.set(index, part)
    parts.last = index
  }

  /** Sets a text and counts what that adds. */
  function write(target: JsonObject, field: string, text: string): void {
    const old = target[field]
    size += text.length - (typeof old === 'string' ? old.length : 0)
    target[field] = text
  }

  function extend(target: JsonObject, field: string, delta: string): void {
    const old = target[field]
    write(target, field, typeof old === 'string' ? old + delta : delta)
  }

  /** Adds to a list within a part. */
  function append(part: JsonObject, field: string, values: Json[], position: number | null = null): void {
    const list = Array.isArray(part[field]) ? part[field] : []
    part[field] = list
    for (const value of values) {
      if (position !== null && position < list.length) list[position] = value
      else list.push(value)
      size += weigh(value)
    }
  }

  return {
    get id() {
      return typeof item.id === 'string' && item.id !== '' ? item.id : null
    },
    get type() {
      return item.type
    },
    get done() {
      return done
    },
    get size() {
      return size
    },

    take(given, isDone) {
      item = { ...given, ...kept(item, given) }
      done ||= isDone
      size = weigh(item)
      for (const name of ['content', 'summary'] as const) {
        const list = given[name]
        if (Array.isArray(list) && list.length > 0) lists[name] = partsOf(list)
        else for (const part of lists[name].byIndex.values()) size += weigh(part)
      }
    },

    addPart(list, index, part) {
      const parts = lists[list]
      const at = index ?? parts.last + 1
      if (!parts.byIndex.has(at)) put(parts, at, part) // else its deltas came first
    },
    replacePart(list, index, part) {
      put(lists[list], index ?? Math.max(lists[list].last, 0), part)
    },
    extendPart(shape, index, delta, logprobs) {
      const part = partOf(shape, index)
      extend(part, shape.field, delta)
      if (Array.isArray(logprobs) && logprobs.length > 0) append(part, 'logprobs', logprobs)
    },
    replaceText(shape, index, text) {
      write(partOf(shape, index), shape.field, text)
    },
    annotate(index, position, annotation) {
      const part = partOf({ list: 'content', type: 'output_text', field: 'text' }, index)
      append(part, 'annotations', [annotation], position)
    },
    extendField(field, delta) {
      extend(item, field, delta)
    },
    replaceField(field, value) {
      write(item, field, value)
    },

    toJson() {
      const { content, summary } = lists
      return {
        ...item,
        ...(content.byIndex.size > 0 && { content: inOrder(content) }),
        ...(summary.byIndex.size > 0 && { summary: inOrder(summary) })
      }
    }
  }
}

/** What came in pieces and `given` does not say. */
function kept(item: JsonObject, given: JsonObject): JsonObject {
  return Object.fromEntries(
    FIELDS.flatMap((name) => (given[name] || !item[name] ? [] : [[name, item[name]]]))
  )
}

function partsOf(list: Json | undefined): Parts {
  const entries = Array.isArray(list) ? list : []
  return { byIndex: new Map(entries.entries()), last: entries.length - 1 }
}

function inOrder({ byIndex }: Parts): Json[] {
  return [...byIndex].sort(([a], [b]) => a - b).map(([, part]) => part)
}

/** Characters that a value holds; what is no text counts too, or a stream of numbers would be free. */
export function weigh(value: Json | undefined): number {
  if (value === undefined) return 0
  if (typeof value === 'string') return value.length + 8
  if (typeof value !== 'object' || value === null) return 8
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + weigh(entry), 8)
  return Object.entries(value).reduce((sum, [key, entry]) => sum + key.length + weigh(entry), 8)
}
