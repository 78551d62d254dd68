import fc from 'fast-check'
import type { Json, JsonObject } from '../../storage/contract.ts'

/** Texts as people write them: more than one script, white space around and within, line ends of both kinds. */
export const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', ' ', 'yes', 'yes ', 'a\r\nb', 'a\nb', '"quoted" \\ {')
)
export const spoken = text.filter((given) => given.trim() !== '')
const callId = fc.constantFrom('call_1', 'call_2', 'call_3')

const part: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ type: fc.constant('text'), text: spoken }),
  fc.record({
    type: fc.constant('image_url'),
    image_url: fc.record(
      { url: fc.webUrl(), detail: fc.constantFrom('low', 'high', 'auto') },
      { requiredKeys: ['url'] }
    )
  }),
  fc.record({ type: fc.constant('file'), file: fc.record({ filename: spoken, file_data: spoken }) }),
  fc.record({
    type: fc.constant('input_audio'),
    input_audio: fc.record({ data: spoken, format: fc.constant('wav') })
  })
) as fc.Arbitrary<JsonObject>
const parts = fc.array(part, { minLength: 1, maxLength: 3 })
const texts = fc.array(fc.record({ type: fc.constant('text'), text: spoken }), {
  minLength: 1,
  maxLength: 3
}) as fc.Arbitrary<JsonObject[]>

const toolCall: fc.Arbitrary<JsonObject> = fc
  .tuple(callId, fc.constantFrom('find', 'send'), fc.constantFrom('{}', '{"a":1}', ''), fc.boolean())
  .map(([id, name, given, custom]) =>
    custom
      ? { id, type: 'custom', custom: { name, input: given } }
      : { id, type: 'function', function: { name, arguments: given } }
  )

export const asked: fc.Arbitrary<JsonObject> = fc.record(
  {
    role: fc.constantFrom('user', 'system', 'developer'),
    content: fc.oneof(text, parts),
    name: fc.constantFrom('ann', 'bob')
  },
  { requiredKeys: ['role', 'content'] }
) as fc.Arbitrary<JsonObject>
export const toolResult: fc.Arbitrary<JsonObject> = fc.record({
  role: fc.constant('tool'),
  tool_call_id: callId,
  content: fc.oneof(text, texts)
}) as fc.Arbitrary<JsonObject>
export const answered: fc.Arbitrary<JsonObject> = fc.record(
  {
    role: fc.constant('assistant'),
    content: fc.oneof(text, texts, fc.constant(null)),
    tool_calls: fc.array(toolCall, { minLength: 1, maxLength: 3 }),
    refusal: spoken,
    reasoning_content: spoken
  },
  { requiredKeys: ['role', 'content'] }
) as fc.Arbitrary<JsonObject>
export const message = fc.oneof(asked, answered, toolResult).map((given) => structuredClone(given))

/** What a message says, whatever its form: who, the text, all else in the content, the refusal, and the calls. */
export function meaning(given: JsonObject): Json {
  const {
    role,
    content,
    refusal = null,
    tool_calls: calls = [],
    tool_call_id: id = null,
    name = null
  } = given
  const list = (Array.isArray(content) ? content : [{ type: 'text', text: content ?? '' }]) as JsonObject[]
  const said = list.map((entry) => (entry.type === 'text' ? (entry.text as string) : '')).join('')
  const others = list.filter((entry) => entry.type !== 'text').map(withDetail)
  return [role ?? null, id, name, said, others, refusal, calls]
}

/** An image without a detail has OpenAI's own default. */
function withDetail(entry: JsonObject): JsonObject {
  if (entry.type !== 'image_url') return entry
  return { ...entry, image_url: { detail: 'auto', ...(entry.image_url as JsonObject) } }
}
