import { type Static, Type } from 'typebox'
import { ApiError } from '../errors.ts'
import type { Json, JsonObject } from '../storage/contract.ts'
import { outputText } from '../storage/dialogue/message-items.ts'
import type { PlacedItem } from '../storage/dialogue/turn-items.ts'
import { isObject } from '../storage/json-value.ts'

const INCLUDES = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs'
] as const
type Name = (typeof INCLUDES)[number]
const Name = Type.Unsafe<Name>(Type.Union(INCLUDES.map((name) => Type.Literal(name))))

/** OpenAI's `include[]`. Of what it names, images, encrypted reasoning and logprobs are left out unless asked for. */
export const Include = Type.Optional(Type.Union([Name, Type.Array(Name)]))
type Include = Static<typeof Include> | undefined

/** What every item has; the rest follows from its type. */
export const ItemView = Type.Unsafe<JsonObject>(
  Type.Object(
    { id: Type.String(), type: Type.String(), status: Type.Optional(Type.String()) },
    {
      title: 'Item',
      description: "An item of a conversation, in OpenAI's shape for its type.",
      additionalProperties: true
    }
  )
)

/** An item as OpenAI shows it: with an id, a status, and a list as its content. */
export function toItemView({ id, item, status }: PlacedItem, include: Include): JsonObject & { id: string } {
  const type = String(item.type ?? 'message')
  const wants = (name: Name) => include === name || include?.includes(name) === true
  if (type === 'message') {
    const content = contentOf(item).map((part): Json => {
      if (!isObject(part)) return part
      const hidden = part.type === 'input_image' && !wants('message.input_image.image_url')
      if (hidden && typeof part.image_url === 'string') return { ...part, image_url: null }
      if (part.type === 'output_text' && !wants('message.output_text.logprobs'))
        return { ...part, logprobs: [] }
      return part
    })
    return { ...item, type, id, status, role: item.role ?? 'user', content }
  }
  if (type === 'reasoning') {
    const { encrypted_content: encrypted, ...rest } = item
    const shown = encrypted !== undefined && wants('reasoning.encrypted_content')
    return { summary: [], ...rest, ...(shown && { encrypted_content: encrypted }), id }
  }
  return { ...item, id, status }
}

function contentOf({ role, content }: JsonObject): Json[] {
  if (typeof content !== 'string') return Array.isArray(content) ? content : []
  return [role === 'assistant' ? outputText(content) : { type: 'input_text', text: content }]
}

const MESSAGE_ROLES = ['user', 'assistant', 'system', 'developer']

/** Items that a client may add; what a field must be is OpenAI's. */
export const NewItems = Type.Array(
  Type.Object(
    { type: Type.Optional(Type.String()), role: Type.Optional(Type.String()) },
    { additionalProperties: true }
  ),
  { maxItems: 20 }
)

/** Throws a 400 that names the field when an item cannot be one. */
export function assertItems(items: JsonObject[]): void {
  for (const [index, item] of items.entries()) {
    const wrong = faultOf(item)
    if (wrong === null) continue
    const param = `items[${index}].${wrong}`
    throw new ApiError(400, 'invalid_value', `Invalid '${param}'.`, { param })
  }
}

function faultOf(item: JsonObject): string | null {
  const isText = (value: unknown) => typeof value === 'string'
  const isContent = (value: unknown) => isText(value) || (Array.isArray(value) && value.every(isObject))
  switch (item.type ?? 'message') {
    case 'message':
      if (!MESSAGE_ROLES.includes(String(item.role))) return 'role'
      return isContent(item.content) ? null : 'content'
    case 'function_call':
      return ['call_id', 'name', 'arguments'].find((name) => !isText(item[name])) ?? null
    case 'function_call_output':
      if (!isText(item.call_id)) return 'call_id'
      return isContent(item.output) ? null : 'output'
    case 'item_reference':
      return 'type'
    default:
      return null
  }
}
