import type { Json, JsonObject } from '../contract.ts'
import { isObject } from '../json-value.ts'
import { isOutput } from './turn-items.ts'

/**
 * How many of `given`, from its start on, repeat the end of `history`: clients often send again what they know is
 * kept. At least one of them must be the assistant's: a person may say the same thing twice.
 */
export function countResent(history: JsonObject[], given: JsonObject[]): number {
  const known = history.flatMap(toKey)
  // What has no key, such as reasoning, may be missing on either side.
  const keyed = given.map(toKey)
  const sent = keyed.flat()
  const first = sent.findIndex(isAssistants)
  const length = first === -1 ? 0 : overlap(known, sent)
  // Where the longest overlap has nothing of the assistant's, no shorter one has.
  return length > first ? indexAfter(keyed, length) : 0
}

/** The length of the longest beginning of `sent` that `known` ends with, found in one pass (Knuth, Morris, Pratt). */
function overlap(known: string[], sent: string[]): number {
  const fallback = [0]
  for (let at = 1, length = 0; at < sent.length; at += 1) {
    while (length > 0 && sent[at] !== sent[length]) length = fallback[length - 1] ?? 0
    if (sent[at] === sent[length]) length += 1
    fallback.push(length)
  }
  let length = 0
  for (const key of known.slice(-sent.length)) {
    while (length > 0 && key !== sent[length]) length = fallback[length - 1] ?? 0
    if (key === sent[length]) length += 1
  }
  return length
}

/** Whether two lists of messages say the same. */
export function saySame(some: JsonObject[], others: JsonObject[]): boolean {
  const key = (entries: JsonObject[]) => JSON.stringify(entries.flatMap(toKey))
  return key(some) === key(others)
}

/** The index after the entry that holds the `count`th key, and after entries without a key that follow it. */
function indexAfter(keyed: string[][], count: number): number {
  let seen = 0
  let index = 0
  for (; index < keyed.length; index += 1) {
    const keys = keyed[index]?.length ?? 0
    if (seen === count && keys > 0) break
    seen += keys
  }
  return index
}

function isAssistants(key: string): boolean {
  return key.startsWith('assistant ')
}

/**
 * What a message or an item says, without what clients change on the way: how a text is cut into parts, white space
 * around it, ids of items, reasoning and annotations. An assistant's message is one key for what it says and one for
 * each call, as its items are.
 */
function toKey(entry: JsonObject): string[] {
  const { type = 'message', role } = entry
  if (type === 'function_call' || type === 'custom_tool_call') {
    return [key('assistant', 'call', entry.call_id, entry.name, entry.arguments ?? entry.input)]
  }
  if (type === 'function_call_output' || type === 'custom_tool_call_output') {
    return [key('result', entry.call_id, partsOf(entry.output))]
  }
  if (type !== 'message') {
    const { id: _, status: __, ...said } = entry
    return isOutput(entry) ? [] : [key('result', said)]
  }
  if (role === 'tool') return [key('result', entry.tool_call_id, partsOf(entry.content))]
  const said = partsOf(entry.content)
  if (typeof entry.refusal === 'string') said.push(entry.refusal)
  if (role !== 'assistant') return [key(String(role === 'developer' ? 'system' : role), said)]
  const calls = Array.isArray(entry.tool_calls) ? entry.tool_calls.filter(isObject) : []
  const called = calls.map(({ id, function: fn, custom }) => {
    const given = isObject(fn) ? fn : isObject(custom) ? custom : {}
    return key('assistant', 'call', id, given.name, given.arguments ?? given.input)
  })
  return [...(said.length > 0 ? [key('assistant', said)] : []), ...called]
}

function key(who: string, ...what: (Json | undefined)[]): string {
  return `${who} ${JSON.stringify(what)}`
}

/** The texts of a content joined into one, then everything else. */
function partsOf(content: Json | undefined): Json[] {
  const parts = Array.isArray(content) ? content.filter(isObject) : []
  const texts = parts.flatMap(({ text, refusal }) =>
    [text, refusal].filter((part) => typeof part === 'string')
  )
  const text = (typeof content === 'string' ? content : texts.join('')).replaceAll('\r\n', '\n').trim()
  const others = parts.flatMap((part): Json[] => {
    if (typeof part.text === 'string' || typeof part.refusal === 'string') return []
    if (isObject(part.image_url)) return [['image', part.image_url.url ?? null]]
    if (part.image_url !== undefined) return [['image', part.image_url]]
    return [part]
  })
  return text === '' ? others : [text, ...others]
}
