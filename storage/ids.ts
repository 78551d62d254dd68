import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

type Prefix = 'conv' | 'turn'

const BYTES_EACH = 16
/** Asking for random bytes takes longer than making an id of them, however few they are. */
const pool = Buffer.alloc(BYTES_EACH * 256)
let taken = pool.length

let lastMs = 0
let sequence = 0

/** A new id, unique and ordered in time: the prefix and a UUIDv7 in 32 hexadecimal digits. */
export function newId(prefix: Prefix): string {
  const random = randomBytes()
  // Ids of one millisecond are in order too (RFC 9562, section 6.2), and so they are when the clock is set back.
  const now = Date.now()
  sequence = now > lastMs ? random.readUInt32BE(6) >>> 1 : sequence + 1
  lastMs = Math.max(lastMs, now)
  return `${prefix}_${v7({ random, msecs: lastMs, seq: sequence }).replaceAll('-', '')}`
}

function randomBytes(): Buffer {
  if (taken === pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  taken += BYTES_EACH
  return pool.subarray(taken - BYTES_EACH, taken)
}

/** Where ids of `instant` begin: it comes after all ids from before, and before all that are from then or later. */
export function lowestId(prefix: Prefix, instant: number): string {
  return `${prefix}_${Math.max(0, instant).toString(16).padStart(12, '0')}${'0'.repeat(20)}`
}

/** Whether `text` has the form of an id made here. Anything else cannot exist in a store. */
export function isId(prefix: Prefix, text: string): boolean {
  return text.length === prefix.length + 33 && new RegExp(`^${prefix}_[0-9a-f]{32}$`).test(text)
}

/** Whether `text` has the form of an API key's id. Anything else cannot exist in a store. */
export function isKeyId(text: string): boolean {
  return /^[a-z0-9]{8,32}$/.test(text)
}
