import type { Json, JsonObject } from '../contract.ts'

/** Deeper than this, a value cannot be relied on to be written again: serialising recurses. */
const MAX_DEPTH = 64

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value that `text` spells, or undefined when it is not JSON or nests too deeply. */
export function parseJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return isDeeper(value, MAX_DEPTH) ? undefined : value
  } catch {
    return undefined
  }
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

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}
