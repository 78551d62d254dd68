/**
 * `text` as every store can hold it: NUL (which Postgres refuses) and lone surrogates (which have no
 * UTF-8 form) become U+FFFD.
 */
export function storableText<T extends string | null>(text: T): T {
  return text === null ? text : (text.toWellFormed().replaceAll('\0', '\uFFFD') as T)
}

/** Whether a store can hold `text` exactly. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
