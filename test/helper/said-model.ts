import type { JsonObject } from '../../storage/contract.ts'

/**
 * One thing that was said, in words that are the same for messages of a chat and for items: `user: …`, `system: …`,
 * `assistant: …`, `refusal: …`, `call <id> <arguments>`, `result <id> <text>`.
 */
export type Said = string

const SYNTHETIC = 'No result: the call was interrupted.'

/** What messages of a chat, or items of the Responses API, say; reasoning is left out. */
export function saidIn(entries: JsonObject[]): Said[] {
  return entries.flatMap((entry): Said[] => {
    const { type = 'message', role = 'user' } = entry
    if (type === 'function_call') return [`call ${entry.call_id} ${entry.arguments}`]
    if (type === 'function_call_output') return [`result ${entry.call_id} ${textIn(entry.output, 'text')}`]
    if (type !== 'message') return []
    if (role === 'tool') return [`result ${entry.tool_call_id} ${textIn(entry.content, 'text')}`]
    const content = entry.content ?? entry.content_parts
    const text = textIn(content, 'text')
    const refusal = entry.refusal ?? textIn(content, 'refusal')
    const calls = (entry.tool_calls ?? []) as { id: string; function: JsonObject }[]
    return [
      ...(text === '' ? [] : [`${role}: ${text}`]),
      ...(refusal === '' ? [] : [`refusal: ${refusal}`]),
      ...calls.map(({ id, function: { arguments: args } }) => `call ${id} ${args}`)
    ]
  })
}

function textIn(content: unknown, field: 'text' | 'refusal'): string {
  if (typeof content === 'string') return field === 'text' ? content : ''
  const parts = (content ?? []) as JsonObject[]
  return parts.map((part) => part[field] ?? '').join('')
}

/** The same as messages of a chat; calls go with what was said right before them. */
export function messagesSaying(said: Said[]): JsonObject[] {
  const messages: JsonObject[] = []
  for (const one of said) {
    const [, who = '', text = ''] = /^(user|system|assistant): (.*)$/s.exec(one) ?? []
    const [verb = '', id = '', ...rest] = one.split(' ')
    const last = messages.at(-1)
    if (who !== '') messages.push({ role: who, content: text })
    else if (verb === 'refusal:')
      messages.push({ role: 'assistant', content: null, refusal: one.slice(verb.length + 1) })
    else if (verb === 'result') messages.push({ role: 'tool', tool_call_id: id, content: rest.join(' ') })
    else {
      const call = { id, type: 'function', function: { name: 'find', arguments: rest.join(' ') } }
      if (last?.role === 'assistant') last.tool_calls = [...((last.tool_calls ?? []) as JsonObject[]), call]
      else messages.push({ role: 'assistant', content: null, tool_calls: [call] })
    }
  }
  return messages
}

/** The same as items. */
export function itemsSaying(said: Said[]): JsonObject[] {
  return said.map((one) => {
    const [verb = '', id = '', ...rest] = one.split(' ')
    if (verb === 'call')
      return { type: 'function_call', call_id: id, name: 'find', arguments: rest.join(' ') }
    if (verb === 'result') return { type: 'function_call_output', call_id: id, output: rest.join(' ') }
    const text = one.slice(verb.length + 1)
    if (verb === 'refusal:')
      return { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: text }] }
    return { type: 'message', role: verb.slice(0, -1), content: text }
  })
}

/** The texts that `who` said; null when there are none. */
export function textsOf(said: Said[], who: 'user' | 'assistant'): string | null {
  const texts = said.filter((one) => one.startsWith(`${who}: `)).map((one) => one.slice(who.length + 2))
  return texts.length > 0 ? texts.join('\n\n') : null
}

/** A call that broke off in the middle of its arguments. */
export function isBroken(said: Said): boolean {
  return said.startsWith('call ') && !said.endsWith('}')
}

/** Without the results that only stand in for those that never came. */
export function withoutSynthetic(said: Said[]): Said[] {
  return said.filter((one) => !(one.startsWith('result ') && one.endsWith(SYNTHETIC)))
}

/** The calls that still wait for a result at the end. `ends` tells what ends the time in which one may come. */
export function openCalls(said: Said[], ends: RegExp): { open: string[]; orphans: Set<number> } {
  let open: string[] = []
  const orphans = new Set<number>()
  for (const [index, one] of said.entries()) {
    const id = one.split(' ')[1] ?? ''
    if (ends.test(one)) open = []
    if (one.startsWith('call ')) open.push(id)
    if (!one.startsWith('result ')) continue
    if (open.includes(id)) open.splice(open.indexOf(id), 1)
    else orphans.add(index)
  }
  return { open, orphans }
}
