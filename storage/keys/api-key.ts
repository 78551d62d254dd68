import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { ApiKey } from '../contract.ts'

const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'
const FORM = /^tk_([a-z0-9]{16})_([A-Za-z0-9_-]{43})$/

/** A new key `tk_<id>_<secret>`, and what is stored of it: from that nobody can make the key again. */
export function newApiKey(of: Pick<ApiKey, 'sessionId' | 'name' | 'createdAt'>): {
  key: string
  stored: ApiKey
} {
  const id = Array.from({ length: 16 }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join('')
  const secret = randomBytes(32).toString('base64url')
  return { key: `tk_${id}_${secret}`, stored: { id, ...of, hash: digestOf(secret).toString('hex') } }
}

/** What a client sent as a key. Without an id it is none, and no stored key has its digest. */
export function readApiKey(text: string): { id: string | null; digest: Buffer } {
  const [, id = null, secret = text] = FORM.exec(text) ?? []
  return { id, digest: digestOf(secret) }
}

/** Whether `digest` is that of the stored key. Takes as long where there is no such key. */
export function isDigestOf(stored: ApiKey | null, digest: Buffer): boolean {
  const expected = Buffer.from(stored?.hash ?? '', 'hex')
  const comparable = expected.length === digest.length
  return timingSafeEqual(comparable ? expected : Buffer.alloc(digest.length), digest) && comparable
}

function digestOf(secret: string): Buffer {
  // Of the text, not of the bytes it encodes: base64url has several spellings of the same bytes.
  return createHash('sha256').update(secret).digest()
}
