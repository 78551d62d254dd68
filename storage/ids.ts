import { v7 } from 'uuid'

type Prefix = 'conv' | 'turn'

/** A new id, unique and ordered in time: the prefix and a UUIDv7 in 32 hexadecimal digits. */
export function newId(prefix: Prefix): string {
  return `${prefix}_${v7().replaceAll('-', '')}`
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
