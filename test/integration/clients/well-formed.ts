import type { JsonBody } from './model.ts'

/** Fields that are Turnkeeper's own to act on; `store` goes on to `/responses` alone, as false. */
const OURS = ['conversation', 'conversation_id', 'previous_response_id', 'metadata']

/** For what OpenAI would refuse a request, or show that it keeps something. */
export function faultsOf(url: string, body: JsonBody): string[] {
  const foreign = OURS.filter((name) => name in body).map((name) => `'${name}' reached the upstream`)
  if (url === '/v1/responses') {
    const kept = body.store === false ? [] : ["'store' must be false"]
    return [...foreign, ...kept, ...itemFaults(listOf(body.input))]
  }
  const stored = 'store' in body ? ["'store' reached the upstream"] : []
  return [...foreign, ...stored, ...messageFaults(listOf(body.messages))]
}

function listOf(value: unknown): JsonBody[] {
  return Array.isArray(value) ? (value as JsonBody[]) : []
}

function messageFaults(messages: JsonBody[]): string[] {
  const faults: string[] = []
  let open: unknown[] = []
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    if (message.role === 'tool') {
      if (!open.includes(message.tool_call_id)) faults.push(`${at} answers no call`)
      open = open.filter((id) => id !== message.tool_call_id)
      continue
    }
    if (open.length > 0) faults.push(`${at} comes before the results of ${open.join(', ')}`)
    const calls = listOf(message.tool_calls)
    if (calls.some((call) => 'index' in call)) faults.push(`${at} numbers its calls`)
    if (message.role !== 'assistant' && !message.content) faults.push(`${at} has no content`)
    if (message.role === 'assistant' && !message.content && !message.refusal && calls.length === 0)
      faults.push(`${at} says nothing`)
    open = calls.map(({ id }) => id)
  }
  if (open.length > 0) faults.push(`no results of ${open.join(', ')}`)
  return faults
}

const CONTENT: Record<string, string[]> = {
  assistant: ['output_text', 'refusal'],
  user: ['input_text', 'input_image', 'input_file', 'input_audio']
}

function itemFaults(items: JsonBody[]): string[] {
  const faults: string[] = []
  const open = new Set<unknown>()
  for (const [index, item] of items.entries()) {
    const at = `input[${index}]`
    if (item.type === 'function_call') {
      open.add(item.call_id)
    } else if (item.type === 'function_call_output') {
      if (!open.delete(item.call_id)) faults.push(`${at} answers no call`)
    } else if (item.type === 'reasoning') {
      // Upstreams that keep nothing know reasoning only where it comes whole.
      if (typeof item.encrypted_content !== 'string') faults.push(`${at} is reasoning that nobody can read`)
    } else if (item.type === 'message' || item.type === undefined) {
      if (item.role === 'user' && open.size > 0) faults.push(`${at} comes before results`)
      const allowed = CONTENT[item.role === 'assistant' ? 'assistant' : 'user'] ?? []
      const strange = listOf(item.content).find(({ type }) => !allowed.includes(String(type)))
      if (strange) faults.push(`${at} has content of type ${strange.type}`)
    } else {
      faults.push(`${at} is an item of type ${item.type}`)
    }
  }
  if (open.size > 0) faults.push(`no results of ${[...open].join(', ')}`)
  return faults
}
