import { client, isRefused } from './api.js'
import { isGoing } from './going.js'
import { createStore } from './store.js'
import { toastError } from './toasts.js'

/** @typedef {import('../../client/index.d.ts').Conversation} Conversation */

const PAGE = 50

export const conversations = createStore({
  pinned: /** @type {Conversation[]} */ ([]),
  rows: /** @type {Conversation[]} */ ([]),
  query: '',
  /** Of the list with this query nothing has come yet. */
  loading: true,
  hasMore: false,
  failed: false
})

/** The list that is read on: another query, or the list read anew, has another. */
let reading = { pages: readPages(''), stopped: new AbortController(), busy: false }

/** @param {string} query */
function readPages(query) {
  const narrowed = query === '' ? { pinned: false } : { q: query }
  return client.conversations.list({ limit: PAGE, ...narrowed }).pages()
}

/** Shows what `query` finds, all of them when it is empty. @param {string} query */
export async function search(query) {
  conversations.set({ query })
  await reload()
}

/** Reads the list anew from its beginning. What is shown stays until then. */
export async function reload() {
  const { query } = conversations.get()
  reading.stopped.abort()
  reading = { pages: readPages(query), stopped: new AbortController(), busy: false }
  const { signal } = reading.stopped
  conversations.set({ loading: true, failed: false })
  try {
    const [pinned, first] = await Promise.all([query === '' ? readPinned() : [], reading.pages.next()])
    if (signal.aborted) return
    const { data = [], has_more = false } = first.value ?? {}
    conversations.set({
      pinned: pinned.filter(isHere),
      rows: data.filter(isHere),
      hasMore: has_more,
      loading: false
    })
  } catch (err) {
    if (signal.aborted) return
    conversations.set({
      loading: false,
      failed: !isRefused(err),
      ...(hasNoWord(err) && { rows: [], pinned: [], hasMore: false, failed: false })
    })
  }
}

async function readPinned() {
  const { value } = await client.conversations.list({ limit: 100, pinned: true }).pages().next()
  return value?.data ?? []
}

/** A search for signs alone finds nothing; the service calls it a mistake. @param {any} err */
function hasNoWord(err) {
  return err?.param === 'q'
}

export async function loadMore() {
  const current = reading
  if (current.busy || !conversations.get().hasMore) return
  current.busy = true
  try {
    const { value } = await current.pages.next()
    if (current !== reading) return
    const known = new Set(conversations.get().rows.map(({ id }) => id))
    const added = (value?.data ?? []).filter((row) => !known.has(row.id) && isHere(row))
    conversations.set({ rows: [...conversations.get().rows, ...added], hasMore: value?.has_more ?? false })
  } catch (err) {
    if (current !== reading) return
    toastError(err)
    conversations.set({ failed: true, hasMore: false })
  } finally {
    current.busy = false
  }
}

/** @param {Conversation} row */
function isHere({ id }) {
  return !isGoing(id)
}

/** Shows what has become of a conversation; a new one comes first. @param {Conversation} changed */
export function put(changed) {
  if (!isHere(changed)) return
  const { pinned, rows, query } = conversations.get()
  const isOther = (/** @type {Conversation} */ { id }) => id !== changed.id
  if (query !== '') {
    conversations.set({ rows: rows.map((row) => (isOther(row) ? row : changed)) })
    return
  }
  const place = (/** @type {Conversation[]} */ list) =>
    [...list.filter(isOther), changed].sort((a, b) => (a.id < b.id ? 1 : -1))
  const last = rows.at(-1)
  // One that is older than all that were read so far comes when they are read on.
  const isLoaded = !conversations.get().hasMore || last === undefined || changed.id > last.id
  conversations.set({
    pinned: changed.pinned ? place(pinned) : pinned.filter(isOther),
    rows: changed.pinned || !isLoaded ? rows.filter(isOther) : place(rows)
  })
}

/** Takes it out of the list. @param {string} id */
export function drop(id) {
  const without = (/** @type {Conversation[]} */ list) => list.filter((row) => row.id !== id)
  conversations.set({ pinned: without(conversations.get().pinned), rows: without(conversations.get().rows) })
}

/** @param {Pick<Conversation, 'title'>} conversation */
export function titleOf({ title }) {
  return title?.trim() || 'Untitled'
}
