import type { Page } from '../storage/contract.ts'

/** How much is read of the store for one request, in bytes of content. */
export interface ReadingLimits {
  /** For a page of a list, which has one entry at least. */
  maxPageBytes: number
  /** For the turns on the way to one. */
  maxHistoryBytes: number
}

/** The page, ended before the entry with which its JSON would be more than `maxBytes`; it has one at least. */
export function withinBytes<T>(page: Page<T>, maxBytes: number): Page<T> {
  let sum = 0
  const end = page.data.findIndex((entry, index) => {
    sum += Buffer.byteLength(JSON.stringify(entry))
    return index > 0 && sum > maxBytes
  })
  return end === -1 ? page : { data: page.data.slice(0, end), hasMore: true }
}
