const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Fields of a chat request that are ours to act on and not for the upstream to see. */
const OWN_FIELDS = ['store', 'metadata', 'conversation', 'conversation_id']

/**
 * The body for the upstream: the client's own JSON text, byte for byte, less the fields that belong to us,
 * and with `defaultModel` where it names no model. `raw` must be the valid JSON of `body`.
 */
export function upstreamBody(raw: Buffer, body: object, defaultModel: string | undefined): Buffer {
  const addModel = defaultModel !== undefined && !('model' in body)
  if (!addModel && !OWN_FIELDS.some((name) => name in body)) return raw
  const members = topLevelMembers(raw)
    .filter((member) => !OWN_FIELDS.includes(member.name))
    .map((member) => raw.subarray(member.start, member.end))
  if (addModel) members.unshift(Buffer.from(`"model":${JSON.stringify(defaultModel)}`))
  const comma = Buffer.from(',')
  const parts = members.flatMap((member, i) => (i === 0 ? [member] : [comma, member]))
  return Buffer.concat([Buffer.from('{'), ...parts, Buffer.from('}')])
}

/** Where the members of the object in `json` stand. Cutting text keeps what parsing loses, such as long numbers. */
function topLevelMembers(json: Buffer): { name: string; start: number; end: number }[] {
  const members = []
  let at = json.indexOf('{') + 1
  for (;;) {
    const start = json.indexOf(QUOTE, at)
    // A quote after the closing brace cannot be: the text is one valid object.
    if (start === -1) return members
    const nameEnd = endOfString(json, start)
    const colon = json.indexOf(':', nameEnd)
    const end = endOfValue(json, colon + 1)
    members.push({ name: JSON.parse(json.toString('utf8', start, nameEnd)) as string, start, end })
    at = end
  }
}

function endOfString(json: Buffer, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = json.indexOf(QUOTE, at)
    let escapes = 0
    while (json[at - 1 - escapes] === BACKSLASH) escapes += 1
    if (escapes % 2 === 0) return at + 1
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
