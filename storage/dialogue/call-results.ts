import type { JsonObject } from '../contract.ts'
import { isObject } from '../json-value.ts'

/** What stands in for the result of a call that none came for: an upstream refuses a call without. */
const NO_RESULT = 'No result: the call was interrupted.'

/** The dialogue as an upstream takes it, to be followed by `next`. */
export function sendableMessages(dialogue: JsonObject[], next: JsonObject[]): JsonObject[] {
  return repaired(dialogue, next, MESSAGES)
}

/** The same for items. */
export function sendableItems(items: JsonObject[], next: JsonObject[]): JsonObject[] {
  return repaired(items, next, ITEMS)
}

/** Whether an item calls a tool of the client. */
export function isCall(item: JsonObject): boolean {
  return item.type === 'function_call' || item.type === 'custom_tool_call'
}

/** How calls and their results look in a protocol. */
interface Protocol {
  /** The ids of the calls that an entry makes. */
  calls(entry: JsonObject): string[]
  /** The id of the call whose result an entry is, or null. */
  result(entry: JsonObject): string | null
  /** Whether the entry ends the time in which results are expected. */
  endsCalls(entry: JsonObject): boolean
  missing(id: string, call: JsonObject): JsonObject
}

const MESSAGES: Protocol = {
  calls: ({ role, tool_calls: calls }) =>
    role === 'assistant' && Array.isArray(calls)
      ? calls.flatMap((call) => (isObject(call) && typeof call.id === 'string' ? [call.id] : []))
      : [],
  result: ({ role, tool_call_id: id }) => (role === 'tool' ? String(id) : null),
  endsCalls: ({ role }) => role !== 'tool',
  missing: (id) => ({ role: 'tool', tool_call_id: id, content: NO_RESULT })
}

const ITEMS: Protocol = {
  calls: (item) => (isCall(item) && typeof item.call_id === 'string' ? [item.call_id] : []),
  result: ({ type, call_id: id }) =>
    type === 'function_call_output' || type === 'custom_tool_call_output' ? String(id) : null,
  endsCalls: ({ type = 'message', role }) => type === 'message' && role !== 'assistant',
  missing: (id, call) => ({ type: `${call.type}_output`, call_id: id, output: NO_RESULT })
}

/**
 * Every call gets a result right after it, unless `next` brings it, and a result whose call is gone goes too. Ids may
 * repeat, over time and in one answer.
 */
function repaired(entries: JsonObject[], next: JsonObject[], protocol: Protocol): JsonObject[] {
  const fixed: JsonObject[] = []
  /** The calls without a result, in their order; of those with one id how many. */
  const open = new Map<string, JsonObject[]>()
  const close = (coming: (string | null)[]) => {
    const results = Map.groupBy(coming, (id) => id)
    for (const [id, calls] of open) {
      for (const call of calls.slice(results.get(id)?.length ?? 0)) fixed.push(protocol.missing(id, call))
    }
    open.clear()
  }
  for (const entry of entries) {
    const result = protocol.result(entry)
    if (result !== null) {
      const calls = open.get(result)
      if (!calls) continue
      if (calls.length > 1) calls.shift()
      else open.delete(result)
    } else if (protocol.endsCalls(entry)) {
      close([])
    }
    for (const id of protocol.calls(entry)) {
      const calls = open.get(id)
      if (calls) calls.push(entry)
      else open.set(id, [entry])
    }
    fixed.push(entry)
  }
  const end = next.findIndex(protocol.endsCalls)
  close(next.slice(0, end === -1 ? next.length : end).map(protocol.result))
  return fixed
}
