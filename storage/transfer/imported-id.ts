import { createHash } from 'node:crypto'

/**
 * An id in our own form, ordered in time, that is always the same for the same old id and instant: where a UUIDv7
 * has random bits, it has those of a hash of the old id.
 */
export function importedId(prefix: 'conv' | 'turn', oldId: string, instant: number): string {
  const time = instant.toString(16).padStart(12, '0')
  const hash = createHash('sha256').update(`${prefix}:${oldId}`).digest('hex')
  const variant = (8 + (Number.parseInt(hash.slice(3, 4), 16) % 4)).toString(16)
  return `${prefix}_${time}7${hash.slice(0, 3)}${variant}${hash.slice(4, 19)}`
}
