/**
 * What a turn says, part by part, whatever API it came through.
 * @typedef {import('../../client/index.d.ts').Turn} Turn
 * @typedef {{ kind: 'text', text: string }
 *   | { kind: 'reasoning', text: string }
 *   | { kind: 'refusal', text: string }
 *   | { kind: 'image', url: string }
 *   | { kind: 'file', name: string }
 *   | { kind: 'call', id: string | null, name: string, input: string }
 *   | { kind: 'result', id: string | null, output: string }} Part
 * @typedef {{ role: string, parts: Part[] }} Said
 */

/** The messages that were new in the request. @param {Turn} turn @returns {Said[]} */
export function questionOf({ user_text, detail }) {
  const input = /** @type {any} */ (detail)?.input
  if (!Array.isArray(input)) return user_text === null ? [] : [{ role: 'user', parts: textPart(user_text) }]
  return input.filter((entry) => entry !== null).map(toSaid)
}

/** The answers: one, or as many as there are choices. @param {Turn} turn @returns {Part[][]} */
export function answersOf({ assistant_text, detail }) {
  const { choices, response, output } = /** @type {any} */ (detail ?? {})
  if (Array.isArray(choices) && choices.length > 0) {
    return choices.map((choice) => {
      const { index, message } = choice ?? {}
      const content = message?.content ?? (index === 0 ? assistant_text : null)
      return messageParts({ ...message, content })
    })
  }
  const items = response?.output ?? output
  if (Array.isArray(items) && items.length > 0)
    return [items.filter((item) => item !== null).flatMap((item) => toSaid(item).parts)]
  return assistant_text ? [textPart(assistant_text)] : []
}

/** The input of a turn as messages for a chat that asks it again. Null where it was no chat. @param {Turn} turn */
export function messagesOf({ kind, user_text, detail }) {
  const input = /** @type {any} */ (detail)?.input
  if (!Array.isArray(input)) return user_text === null ? null : [{ role: 'user', content: user_text }]
  return kind === 'chat' ? input : null
}

/** A message of a chat, or an item of a response. @param {any} entry @returns {Said} */
function toSaid(entry) {
  const { type, role, call_id, name } = entry
  if (role !== undefined) return { role: asText(role), parts: messageParts(entry) }
  if (type === 'function_call')
    return said('assistant', {
      kind: 'call',
      id: idOf(call_id),
      name: asText(name ?? 'tool'),
      input: asText(entry.arguments)
    })
  if (type === 'function_call_output')
    return said('tool', { kind: 'result', id: idOf(call_id), output: asText(entry.output) })
  if (type === 'reasoning')
    return { role: 'assistant', parts: reasoningParts([entry.summary, entry.content]) }
  if (type === 'image_generation_call' && entry.result)
    return said('assistant', { kind: 'image', url: `data:image/png;base64,${entry.result}` })
  return said('assistant', {
    kind: 'call',
    id: idOf(entry.id),
    name: asText(type ?? 'item'),
    input: asText(entry)
  })
}

/** @param {string} role @param {Part} part @returns {Said} */
function said(role, part) {
  return { role, parts: [part] }
}

/** @param {any} message @returns {Part[]} */
function messageParts(message) {
  const { role, content, tool_calls, tool_call_id, refusal, images } = message
  if (role === 'tool') return [{ kind: 'result', id: idOf(tool_call_id), output: plainText(content) }]
  const thought = message.reasoning_content ?? message.reasoning ?? message.reasoning_details
  return [
    ...reasoningParts([thought]),
    ...contentParts(content),
    ...(Array.isArray(images) ? images.flatMap(contentPart) : []),
    ...(refusal ? [/** @type {Part} */ ({ kind: 'refusal', text: asText(refusal) })] : []),
    ...(Array.isArray(tool_calls) ? tool_calls.map(callPart) : [])
  ]
}

/** @param {any} call @returns {Part} */
function callPart(call) {
  const { name, arguments: input } = call?.function ?? call?.custom ?? {}
  return {
    kind: 'call',
    id: idOf(call?.id),
    name: asText(name ?? 'tool'),
    input: asText(input ?? call?.custom?.input)
  }
}

/** @param {unknown} content @returns {Part[]} */
function contentParts(content) {
  if (typeof content === 'string') return textPart(content)
  return Array.isArray(content) ? content.flatMap(contentPart) : []
}

/** @param {any} part @returns {Part[]} */
function contentPart(part) {
  if (typeof part === 'string') return textPart(part)
  if (typeof part?.text === 'string') return textPart(part.text)
  if (typeof part?.refusal === 'string') return [{ kind: 'refusal', text: part.refusal }]
  const image = part?.image_url?.url ?? part?.image_url
  if (typeof image === 'string') return [{ kind: 'image', url: image }]
  return [{ kind: 'file', name: asText(part?.file?.filename ?? part?.filename ?? part?.type ?? 'part') }]
}

/** @param {unknown[]} thoughts @returns {Part[]} */
function reasoningParts(thoughts) {
  const text = thoughts.map(plainText).filter(Boolean).join('\n\n')
  return text === '' ? [] : [{ kind: 'reasoning', text }]
}

/** @param {unknown} content @returns {string} */
function plainText(content) {
  if (typeof content === 'string') return content
  if (Array.isArray(content)) return content.map(plainText).join('')
  const { text, summary } = /** @type {any} */ (content ?? {})
  return typeof text === 'string' ? text : typeof summary === 'string' ? summary : ''
}

/** @param {string} text @returns {Part[]} */
function textPart(text) {
  return text === '' ? [] : [{ kind: 'text', text }]
}

/** @param {unknown} value */
function idOf(value) {
  return typeof value === 'string' ? value : null
}

/** @param {unknown} value */
function asText(value) {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null, null, 2)
}

/** The text of an answer or a question, as it is copied. @param {Part[]} parts */
export function copiedText(parts) {
  return parts
    .flatMap((part) => (part.kind === 'text' || part.kind === 'refusal' ? [part.text] : []))
    .join('\n\n')
}
