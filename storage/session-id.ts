/** A name of a session that every store can hold and a person can read: 1 to 256 characters, no control characters. */
const SESSION_ID = /^[^\p{Cc}\p{Cs}]{1,256}$/u

export function isSessionId(value: unknown): value is string {
  return typeof value === 'string' && SESSION_ID.test(value)
}
