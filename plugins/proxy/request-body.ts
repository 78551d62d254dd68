import type { Json } from '../../storage/contract.ts'
import { endOfString } from '../../storage/json-string.ts'

const QUOTE = 0x22
const CLOSING_BRACKET = 0x5d

/** What becomes of a body on its way to the upstream. */
export interface BodyEdits {
  /** Fields that belong to us. */
  remove: readonly string[]
  /** Fields in place of those of their name, as JSON text. */
  set: Record<string, Buffer | string>
}

/**
 * The body for the upstream: the client's own JSON text, byte for byte, less what is removed and with what is set.
 * `raw` must be the valid JSON of `body`.
 */
export function editedBody(raw: Buffer, body: object, { remove, set }: BodyEdits): Buffer {
  const gone = [...remove, ...Object.keys(set)].filter((name) => name in body)
  if (gone.length === 0 && Object.keys(set).length === 0) return raw
  const added = Object.entries(set).map(([name, value]) =>
    Buffer.concat([Buffer.from(`${JSON.stringify(name)}:`), Buffer.from(value)])
  )
  const kept = topLevelMembers(raw)
    .filter((member) => !gone.includes(member.name))
    .map((member) => raw.subarray(member.start, member.end))
  return bracketed('{', [...added, ...kept], '}')
}

/**
 * A JSON list of values and of elements that stand in the body's list `name` already; those are given by their index
 * and taken over byte for byte.
 */
export function editedList(raw: Buffer, name: string, entries: (number | Json)[]): Buffer {
  const list = topLevelMembers(raw).findLast((member) => member.name === name)
  const elements = list ? elementsOf(raw, raw.indexOf('[', list.value)) : []
  const texts = entries.map((entry) =>
    typeof entry === 'number' ? (elements[entry] ?? Buffer.alloc(0)) : Buffer.from(JSON.stringify(entry))
  )
  return bracketed('[', texts, ']')
}

function bracketed(open: string, parts: Buffer[], close: string): Buffer {
  const comma = Buffer.from(',')
  const separated = parts.flatMap((part, i) => (i === 0 ? [part] : [comma, part]))
  return Buffer.concat([Buffer.from(open), ...separated, Buffer.from(close)])
}

/** The texts of the elements of the list that begins at `open`. */
function elementsOf(json: Buffer, open: number): Buffer[] {
  const elements: Buffer[] = []
  for (let at = open; json[at] !== CLOSING_BRACKET; ) {
    const end = endOfValue(json, at + 1)
    const text = json.subarray(at + 1, end)
    if (json[end] === CLOSING_BRACKET && elements.length === 0 && text.toString().trim() === '') break
    elements.push(text)
    at = end
  }
  return elements
}

/** Where the members of the object in `json` stand. Cutting text keeps what parsing loses, such as long numbers. */
function topLevelMembers(json: Buffer): { name: string; start: number; value: number; end: number }[] {
  const members = []
  let at = json.indexOf('{') + 1
  for (;;) {
    const start = json.indexOf(QUOTE, at)
    // A quote after the closing brace cannot be: the text is one valid object.
    if (start === -1) return members
    const nameEnd = endOfString(json, start)
    const colon = json.indexOf(':', nameEnd)
    const end = endOfValue(json, colon + 1)
    const name = JSON.parse(json.toString('utf8', start, nameEnd)) as string
    members.push({ name, start, value: colon + 1, end })
    at = end
  }
}

/** The index after a value: where a comma or a bracket of an enclosing level follows. */
function endOfValue(json: Buffer, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at += 1) {
    switch (json[at]) {
      case QUOTE:
        at = endOfString(json, at) - 1
        break
      case 0x5b: // [
      case 0x7b: // {
        depth += 1
        break
      case 0x5d: // ]
      case 0x7d: // }
        if (depth === 0) return at
        depth -= 1
        break
      case 0x2c: // ,
        if (depth === 0) return at
        break
    }
  }
  return json.length
}
