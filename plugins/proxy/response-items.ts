import type { Json, JsonObject } from '../../storage/contract.ts'
import { isObject } from '../../storage/json-value.ts'
import { createItem, type GatheredItem, type PartShape } from './response-item.ts'

/** Gathers a response's output items from its events. */
export interface ResponseItems {
  /** Reads one event, whatever it is; events that add nothing are passed over. */
  read(event: JsonObject): void
  /** Takes the items that a response has at its beginning. */
  begin(output: Json[]): void
  readonly count: number
  /** Whether every item that began is done. */
  readonly done: boolean
  /** Characters gathered. */
  readonly size: number
  /** The items in order; those that are not done get `status`. */
  toJson(status: string): JsonObject[]
}

/** Texts that come in pieces, by the first part of their events' names, and the items they belong to. */
const TEXTS = new Map<string, PartShape & { item: string }>([
  ['output_text', { item: 'message', list: 'content', type: 'output_text', field: 'text' }],
  ['refusal', { item: 'message', list: 'content', type: 'refusal', field: 'refusal' }],
  ['reasoning_text', { item: 'reasoning', list: 'content', type: 'reasoning_text', field: 'text' }],
  ['reasoning_summary_text', { item: 'reasoning', list: 'summary', type: 'summary_text', field: 'text' }]
])
const FIELDS = new Map([
  ['function_call_arguments', { item: 'function_call', field: 'arguments' }],
  ['mcp_call_arguments', { item: 'mcp_call', field: 'arguments' }],
  ['custom_tool_call_input', { item: 'custom_tool_call', field: 'input' }],
  ['code_interpreter_call_code', { item: 'code_interpreter_call', field: 'code' }]
])
const PARTS = new Map([
  ['content_part', 'content'],
  ['reasoning_part', 'content'], // vLLM
  ['reasoning_summary_part', 'summary']
] as const)
/** Types that tell the item an event means from another one with the same index. */
const KNOWN_TYPES = new Set<Json>([...TEXTS.values(), ...FIELDS.values()].map(({ item }) => item))

interface Slot {
  item: GatheredItem
  position: number
}

/**
 * Events should name their item by `output_index` and id. Some upstreams leave out one or both, give every item
 * the same index, or change an item's id from event to event; what fits best is taken then.
 */
export function createResponseItems(): ResponseItems {
  const slots: Slot[] = []
  const byIndex = new Map<number, Slot>()
  const byId = new Map<string, Slot>()
  let nextPosition = 0
  let unfinished = 0
  let size = 0

  function open(item: JsonObject, index: number | null): Slot {
    const fresh = index !== null && !byIndex.has(index)
    const slot = { item: createItem(item), position: fresh ? index : nextPosition }
    nextPosition = Math.max(nextPosition, slot.position + 1)
    slots.push(slot)
    if (index !== null) byIndex.set(index, slot)
    if (slot.item.id !== null) byId.set(slot.item.id, slot)
    unfinished += 1
    size += slot.item.size
    return slot
  }

  /** The item that an event other than its first means. */
  function find(index: number | null, id: string | null, type: Json | undefined): Slot | undefined {
    const indexed = index === null ? undefined : byIndex.get(index)
    const named = id === null ? undefined : byId.get(id)
    const newest = index === null && named === undefined && id === null ? slots.at(-1) : undefined
    const exact = indexed && (id === null || indexed.item.id === id) ? indexed : undefined
    const found = exact ?? named ?? indexed ?? (newest?.item.done ? undefined : newest)
    return found && mayBe(found.item, type) ? found : undefined
  }

  function change(slot: Slot, action: (item: GatheredItem) => void): void {
    const before = slot.item.size
    const wasDone = slot.item.done
    action(slot.item)
    size += slot.item.size - before
    if (slot.item.done && !wasDone) unfinished -= 1
  }

  function add(item: JsonObject, index: number | null): Slot {
    const id = idOf(item.id)
    const found = index === null ? (id === null ? undefined : byId.get(id)) : byIndex.get(index)
    if (!found || !mayBe(found.item, item.type)) return open(item, index)
    const other = id !== null && found.item.id !== null && id !== found.item.id
    const used = found.item.done && (id === null || found.item.id === null)
    if (other || used) return open(item, index)
    if (!found.item.done) change(found, (it) => it.take(item, false))
    if (id !== null) byId.set(id, found)
    return found
  }

  function finish(item: JsonObject | null, index: number | null, eventId: string | null): void {
    const id = idOf(item?.id) ?? eventId
    let slot = find(index, id, item?.type)
    if (slot?.item.done && id !== slot.item.id) slot = undefined // the next item under the same index
    if (!slot && item === null) return
    slot ??= open(item ?? {}, index)
    change(slot, (it) => it.take(item ?? it.toJson(), true))
  }

  /** The item that a piece of an answer belongs to, made when nothing announced it; null when that is done. */
  function target(event: JsonObject, type: string): Slot | null {
    const index = indexOf(event.output_index)
    const id = idOf(event.item_id)
    const found = find(index, id, type)
    if (found) return found.item.done ? null : found
    const content = type === 'message' ? { role: 'assistant', content: [] } : {}
    const summary = type === 'reasoning' ? { summary: [] } : {}
    return open({ ...(id !== null && { id }), type, ...content, ...summary }, index)
  }

  function readPiece(event: JsonObject, name: string, verb: string): void {
    const text = TEXTS.get(name)
    const field = FIELDS.get(name)
    const list = PARTS.get(name as 'content_part')
    const at = indexOf(
      text?.list === 'summary' || list === 'summary' ? event.summary_index : event.content_index
    )
    const on = (type: string, action: (item: GatheredItem) => void) => {
      const slot = target(event, type)
      if (slot) change(slot, action)
    }
    if (text && verb === 'delta' && typeof event.delta === 'string') {
      const { delta, logprobs } = event
      on(text.item, (item) => item.extendPart(text, at, delta, logprobs))
    } else if (text && verb === 'done' && typeof event[text.field] === 'string') {
      const whole = event[text.field] as string
      on(text.item, (item) => item.replaceText(text, at, whole))
    } else if (field && verb === 'delta' && typeof event.delta === 'string') {
      const { delta } = event
      on(field.item, (item) => item.extendField(field.field, delta))
    } else if (field && verb === 'done' && typeof event[field.field] === 'string') {
      const whole = event[field.field] as string
      on(field.item, (item) => item.replaceField(field.field, whole))
    } else if (list && isObject(event.part)) {
      const { part } = event
      const type = list === 'summary' || part.type === 'reasoning_text' ? 'reasoning' : 'message'
      if (verb === 'added') on(type, (item) => item.addPart(list, at, part))
      else if (verb === 'done') on(type, (item) => item.replacePart(list, at, part))
    }
  }

  return {
    read(event) {
      const [, name, verb] = /^response\.(.+)\.(added|delta|done)$/.exec(String(event.type)) ?? []
      if (name === undefined || verb === undefined) return
      const index = indexOf(event.output_index)
      const item = isObject(event.item) ? event.item : null
      if (name === 'output_item' && verb === 'done') return finish(item, index, idOf(event.item_id))
      if (name === 'output_item') return void (item && add(item, index))
      if (name !== 'output_text.annotation') return readPiece(event, name, verb)
      const slot = isObject(event.annotation) ? target(event, 'message') : null
      const position = indexOf(event.annotation_index)
      if (slot)
        change(slot, (it) => it.annotate(indexOf(event.content_index), position, event.annotation as Json))
    },

    begin(output) {
      for (const [index, item] of output.entries()) {
        if (!isObject(item) || byIndex.has(index)) continue
        const slot = open(item, index)
        if (item.status === 'completed') change(slot, (it) => it.take(item, true))
      }
    },

    get count() {
      return slots.length
    },
    get done() {
      return unfinished === 0
    },
    get size() {
      return size
    },
    toJson: (status) =>
      [...slots]
        .sort((a, b) => a.position - b.position)
        .map(({ item }) => (item.done ? item.toJson() : { ...item.toJson(), status }))
  }
}

/** Whether an event for an item of this type can mean that item. */
function mayBe(item: GatheredItem, type: Json | undefined): boolean {
  const known = (value: Json | undefined) => value !== undefined && KNOWN_TYPES.has(value)
  return item.type === type || !known(type) || !known(item.type)
}

function indexOf(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function idOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
