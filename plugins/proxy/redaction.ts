import { isObject } from '../../storage/json-value.ts'

/** Hides our key in what an upstream says: some quote the key that they were called with. */
export interface Redaction {
  text(said: string): string
  /** The same for bytes in any encoding that has ASCII in it. What does not quote the key is given back as it is. */
  bytes(said: Buffer): Buffer
  /** The same for a JSON value. */
  json<T>(said: T): T
}

const REDACTED = '[redacted]'
/** What is shorter is a word like `ollama`, which guards nothing, and may stand in any answer and any header. */
const SHORTEST_SECRET = 12

/** `secret` is ASCII; it is found as it is, and as JSON writes it. */
export function createRedaction(secret = ''): Redaction {
  const spellings = secret.length < SHORTEST_SECRET ? [] : [JSON.stringify(secret).slice(1, -1), secret]
  const quotes = (said: string | Buffer) => spellings.some((quoted) => said.includes(quoted))
  const text = (said: string) => spellings.reduce((rest, quoted) => rest.replaceAll(quoted, REDACTED), said)
  // Value by value: the text of a number with a part cut out would be no JSON.
  const value = (_name: string, said: unknown) => {
    if (typeof said === 'string') return text(said)
    if (!isObject(said)) return said
    return Object.fromEntries(Object.entries(said).map(([name, member]) => [text(name), member]))
  }
  return {
    text,
    bytes(said) {
      if (!quotes(said)) return said
      return Buffer.from(text(said.toString('latin1')), 'latin1')
    },
    json(said) {
      const json = JSON.stringify(said)
      return quotes(json) ? JSON.parse(json, value) : said
    }
  }
}
