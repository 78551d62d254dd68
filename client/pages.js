/**
 * @template T
 * @typedef {import('./index.d.ts').Page<T>} Page
 */
/** @typedef {import('./query.js').Query} Query */

/**
 * A list that is asked for page by page, as it is read. How many entries a page has says nothing of what follows:
 * pages also end where they would grow too large.
 * @template T
 * @param {object} list
 * @param {(query: Query) => Promise<Page<T>>} list.load
 * @param {Query} list.query of the first page
 * @param {(page: Page<T>) => Query} list.next what the following page's query has in place
 * @param {boolean} [list.backwards] each page ends next to the one before
 * @returns {import('./index.d.ts').Pages<T>}
 */
export function pagesOf({ load, query, next, backwards = false }) {
  async function* pages() {
    for (let asked = query; ; ) {
      const page = await load(asked)
      yield page
      if (!page.has_more || page.data.length === 0) return
      asked = { ...query, ...next(page) }
    }
  }

  async function* entries() {
    for await (const { data } of pages()) yield* backwards ? data.toReversed() : data
  }

  return { pages, [Symbol.asyncIterator]: entries }
}
