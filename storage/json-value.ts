import type { Json, JsonObject } from './contract.ts'

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value that `text` spells, or undefined when it is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The same, and undefined too for what nests too deeply to be kept. */
export function parseStorableJson(text: string): Json | undefined {
  const value = parseJson(text)
  return value === undefined || isTooDeep(value) ? undefined : value
}

/** The readable text of a message's `content`: the string itself, or its text parts, joined. */
export function textOf(content: Json | undefined, separator: string): string | null {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return null
  const texts = content.flatMap((part) =>
    isObject(part) && typeof part.text === 'string' ? [part.text] : []
  )
  return texts.length > 0 ? texts.join(separator) : null
}

/** How deep a value may nest to be kept. Serialising recurses, and what is too deep cannot be written. */
export const MAX_DEPTH = 64

/** Whether `value` nests too deeply to be kept. */
export function isTooDeep(value: Json, levels = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isTooDeep(inner, levels - 1))
}
