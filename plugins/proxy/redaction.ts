/** Hides our key in what an upstream says: some quote the key that they were called with. */
export interface Redaction {
  text(said: string): string
  /** The same for bytes in any encoding that has ASCII in it. What does not quote the key is given back as it is. */
  bytes(said: Buffer): Buffer
  /** The same for a JSON value. */
  json<T>(said: T): T
}

const REDACTED = '[redacted]'

/** `secret` is ASCII; it is found as it is, and as JSON writes it. */
export function createRedaction(secret: string | undefined): Redaction {
  const spellings = secret === undefined ? [] : [JSON.stringify(secret).slice(1, -1), secret]
  const text = (said: string) => spellings.reduce((rest, quoted) => rest.replaceAll(quoted, REDACTED), said)
  return {
    text,
    bytes(said) {
      if (!spellings.some((quoted) => said.includes(quoted))) return said
      return Buffer.from(text(said.toString('latin1')), 'latin1')
    },
    json(said) {
      const json = JSON.stringify(said)
      const rest = text(json)
      return rest === json ? said : JSON.parse(rest)
    }
  }
}
