import { createHash } from 'node:crypto'
import type { JsonObject } from '../contract.ts'

/** What stands in a stored detail for media that is kept beside it. */
const PREFIX = 'media:sha256:'
/** What begins like a reference and is none: a hash never begins so, and it needs no place of its own. */
const ESCAPED = `${PREFIX}=`
const REFERENCE = /"media:sha256:([0-9a-f]{64})"/g
/** Shorter data is not worth a place of its own. In characters. */
const MIN_LENGTH = 1_024

/** Media by their hash: data URLs. */
export type Media = Map<string, string>

/** `detail` as it is stored, in JSON: its media replaced by references, so that they can be kept once. */
export function intern(detail: JsonObject | null): { json: string | null; media: Media } {
  const media: Media = new Map()
  if (detail === null) return { json: null, media }
  const json = JSON.stringify(detail)
  if (!json.includes(`"${PREFIX}`) && (json.length < MIN_LENGTH || !json.includes('"data:')))
    return { json, media }
  const interned = JSON.stringify(detail, (_, value) => {
    if (typeof value !== 'string') return value
    if (value.startsWith(PREFIX)) return ESCAPED + value.slice(PREFIX.length)
    if (!isMedia(value)) return value
    const hash = createHash('sha256').update(JSON.stringify(value)).digest('hex')
    media.set(hash, value)
    return PREFIX + hash
  })
  return { json: interned, media }
}

function isMedia(text: string): boolean {
  return text.length >= MIN_LENGTH && text.startsWith('data:')
}

/** The hashes of the media that a stored detail refers to. */
export function mediaIn(json: string): string[] {
  return Array.from(json.matchAll(REFERENCE), ([, hash = '']) => hash)
}

/** Reads a stored detail and puts its media back. Throws `MissingPartError` when `media` lacks one of them. */
export function inflate(json: string, media: ReadonlyMap<string, string>): JsonObject {
  if (!json.includes(`"${PREFIX}`)) return JSON.parse(json)
  return JSON.parse(json, (_, value) => {
    if (typeof value !== 'string' || !value.startsWith(PREFIX)) return value
    if (value.startsWith(ESCAPED)) return PREFIX + value.slice(ESCAPED.length)
    const data = media.get(value.slice(PREFIX.length))
    if (data === undefined) throw new MissingPartError(`${value} is missing`)
    return data
  })
}

/** A part of a turn is not there: it may have been taken away after the rest was read. */
export class MissingPartError extends Error {}

/** How many bytes a reference takes in a detail's JSON. */
export const REFERENCE_BYTES = PREFIX.length + 64 + 2

/** The same reference as it stands in a detail's JSON. */
export function referenceTo(hash: string): string {
  return `"${PREFIX}${hash}"`
}
