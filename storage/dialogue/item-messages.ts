import type { Json, JsonObject } from '../contract.ts'
import { isObject } from '../json-value.ts'

/**
 * Items of the Responses API as messages of a chat: what an assistant said and the calls it made right after are one
 * message. Reasoning and the calls of tools that run at the upstream have no place in a chat and are left out.
 */
export function messagesOfItems(items: JsonObject[]): JsonObject[] {
  const messages: JsonObject[] = []
  for (const item of items) {
    const call = toToolCall(item)
    const last = messages.at(-1)
    if (call && last?.role === 'assistant') {
      if (Array.isArray(last.tool_calls)) last.tool_calls.push(call)
      else last.tool_calls = [call]
    } else if (call) {
      messages.push({ role: 'assistant', content: null, tool_calls: [call] })
    } else if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
      messages.push({ role: 'tool', tool_call_id: item.call_id ?? null, content: toContent(item.output) })
    } else if (item.type === 'message' || item.type === undefined) {
      const message = toMessage(item)
      // Nothing may stand between calls and their results: what is said after the calls goes into their message.
      if (message.role === 'assistant' && Array.isArray(last?.tool_calls)) join(last, message)
      else messages.push(message)
    }
  }
  return messages
}

function join(message: JsonObject, { content, refusal }: JsonObject): void {
  const before = typeof message.content === 'string' && message.content !== '' ? `${message.content}\n\n` : ''
  if (typeof content === 'string') message.content = before + content
  if (refusal !== undefined) message.refusal = refusal
}

function toToolCall(item: JsonObject): JsonObject | null {
  const id = item.call_id ?? item.id ?? null
  if (item.type === 'function_call') {
    return { id, type: 'function', function: { name: item.name ?? '', arguments: item.arguments ?? '' } }
  }
  if (item.type !== 'custom_tool_call') return null
  return { id, type: 'custom', custom: { name: item.name ?? '', input: item.input ?? '' } }
}

function toMessage({ role = 'user', content, name }: JsonObject): JsonObject {
  const named = name === undefined ? {} : { name }
  if (role !== 'assistant') return { role, content: toContent(content), ...named }
  const parts = Array.isArray(content) ? content.filter(isObject) : []
  const refusal = parts.find((part) => part.type === 'refusal')?.refusal
  const text = typeof content === 'string' ? content : textsOf(parts).join('')
  const refused = typeof refusal === 'string' ? { refusal } : {}
  return { role, content: text === '' && 'refusal' in refused ? null : text, ...refused, ...named }
}

/** Content parts for a chat; a single text is a plain string, which every upstream takes. */
function toContent(content: Json | undefined): Json {
  if (!Array.isArray(content)) return content ?? ''
  const parts = content.filter(isObject)
  const texts = textsOf(parts)
  if (parts.length === 1 && texts.length === 1) return texts[0] ?? ''
  return parts.map(toPart)
}

function textsOf(parts: JsonObject[]): string[] {
  return parts.flatMap((part) => (typeof part.text === 'string' ? [part.text] : []))
}

function toPart(part: JsonObject): JsonObject {
  if (typeof part.text === 'string') return { type: 'text', text: part.text }
  if (part.type === 'input_image' && typeof part.image_url === 'string') {
    const detail = part.detail === undefined ? {} : { detail: part.detail }
    return { type: 'image_url', image_url: { url: part.image_url, ...detail } }
  }
  if (part.type !== 'input_file') return part
  const { type: _, ...file } = part
  return { type: 'file', file }
}
