import type { Json, JsonObject } from '../contract.ts'
import { isObject, textOf } from '../json-value.ts'

/** A message of a chat as items of the Responses API, in their order; reasoning that came along is one of its own. */
export function itemsOfMessage(message: JsonObject): JsonObject[] {
  const { role } = message
  if (role === 'tool' || role === 'function') {
    const callId = message.tool_call_id ?? message.name ?? null
    return [{ type: 'function_call_output', call_id: callId, output: outputOf(message.content) }]
  }
  if (role !== 'assistant') {
    const { content, ...rest } = message
    return [{ type: 'message', ...rest, content: partsOf(content).map(toInputPart) }]
  }
  return [...reasoningOf(message), ...spokenBy(message), ...callsOf(message)]
}

/** The readable reasoning of an answer, by whatever name its upstream gives it. */
function reasoningOf(message: JsonObject): JsonObject[] {
  const given = message.reasoning_content ?? message.reasoning
  const text = typeof given === 'string' ? given : textOf(message.reasoning_details, '')
  if (text === null || text === '') return []
  return [{ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text }] }]
}

function spokenBy(message: JsonObject): JsonObject[] {
  const content = partsOf(message.content).map(toOutputPart)
  const said = isObject(message.audio) && typeof message.audio.transcript === 'string'
  if (said) content.push(outputText((message.audio as JsonObject).transcript as string))
  if (typeof message.refusal === 'string') content.push({ type: 'refusal', refusal: message.refusal })
  const [only] = content
  if (only?.type === 'output_text' && Array.isArray(message.annotations))
    only.annotations = message.annotations
  return content.length > 0 ? [{ type: 'message', role: 'assistant', content }] : []
}

function callsOf(message: JsonObject): JsonObject[] {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isObject) : []
  const items = calls.map(({ id, function: called, custom }): JsonObject => {
    if (isObject(custom)) return { type: 'custom_tool_call', call_id: id ?? null, ...pick(custom, 'input') }
    return { type: 'function_call', call_id: id ?? null, ...pick(called, 'arguments') }
  })
  const { function_call: old } = message
  if (!isObject(old)) return items
  return [...items, { type: 'function_call', call_id: old.name ?? null, ...pick(old, 'arguments') }]
}

function pick(called: Json | undefined, argument: 'arguments' | 'input'): JsonObject {
  const given = isObject(called) ? called : {}
  return { name: given.name ?? '', [argument]: given[argument] ?? '' }
}

/** `content` as a list of parts. An empty text is none. */
function partsOf(content: Json | undefined): Json[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return Array.isArray(content) ? content : []
}

function toInputPart(part: Json): JsonObject {
  if (!isObject(part)) return { type: 'input_text', text: String(part) }
  if (part.type === 'text') return { ...part, type: 'input_text' }
  if (part.type === 'image_url' && isObject(part.image_url)) {
    const { url, detail } = part.image_url
    return { type: 'input_image', image_url: url ?? null, detail: detail ?? 'auto' }
  }
  if (part.type === 'file' && isObject(part.file)) return { type: 'input_file', ...part.file }
  return part
}

function toOutputPart(part: Json): JsonObject {
  if (!isObject(part)) return outputText(String(part))
  if (part.type === 'text') return { ...outputText(String(part.text ?? '')) }
  return part
}

export function outputText(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] }
}

function outputOf(content: Json | undefined): Json {
  if (typeof content === 'string') return content
  return partsOf(content).map(toInputPart)
}
