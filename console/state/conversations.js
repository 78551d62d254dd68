import { client, isRefused } from './api.js'
import { route, show } from './route.js'
import { createStore } from './store.js'
import { hearOthers, tellOthers } from './tabs.js'
import { toast, toastError } from './toasts.js'

/** @typedef {import('../../client/index.d.ts').Conversation} Conversation */

const PAGE = 50
const UNDO_MS = 6000

export const conversations = createStore({
  pinned: /** @type {Conversation[]} */ ([]),
  rows: /** @type {Conversation[]} */ ([]),
  query: '',
  /** Of the list with this query nothing has come yet. */
  loading: true,
  hasMore: false,
  failed: false
})

/** What will be deleted when its undo is over. @type {Map<string, () => void>} */
const going = new Map()
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

/** Reads one again, after a turn of it. @param {string} id */
export async function refresh(id) {
  try {
    put(await client.conversations.get(id))
  } catch (err) {
    if (!isRefused(err)) drop(id)
  }
}

/**
 * @param {string} id
 * @param {import('../../client/index.d.ts').ConversationChanges} changes
 */
export async function change(id, changes) {
  try {
    put(await client.conversations.update(id, changes))
    tellOthers({ kind: 'changed', id })
  } catch (err) {
    if (!isRefused(err)) toastError(err)
  }
}

/** Takes it out of the list, and deletes it for good when nobody wants it back. @param {Conversation} row */
export function remove(row) {
  const { id } = row
  const wasShown = route.get().id === id
  drop(id)
  if (wasShown) show(null)
  const timer = setTimeout(() => deleteNow(row), UNDO_MS)
  const gone = toast(`Deleted “${titleOf(row)}”`, {
    ms: UNDO_MS,
    undo: () => {
      clearTimeout(timer)
      going.delete(id)
      putBack(row)
      if (wasShown) show(id)
    }
  })
  going.set(id, () => {
    clearTimeout(timer)
    gone()
    deleteNow(row)
  })
}

/** @param {Conversation} row */
async function deleteNow(row) {
  going.delete(row.id)
  try {
    await client.conversations.delete(row.id, { keepalive: true })
    tellOthers({ kind: 'deleted', id: row.id })
  } catch (err) {
    if (/** @type {any} */ (err).status === 404) return // it was gone already
    if (!isRefused(err)) toastError(err)
    putBack(row)
  }
}

/** @param {Conversation} row */
function putBack(row) {
  put(row)
  if (conversations.get().query !== '') reload() // whether it is found, and where, the service knows
}

/** Whether it waits to be deleted. @param {string} id */
export function isGoing(id) {
  return going.has(id)
}

/** @param {Conversation} row */
function isHere({ id }) {
  return !going.has(id)
}

/** @param {string} id */
function drop(id) {
  const without = (/** @type {Conversation[]} */ list) => list.filter((row) => row.id !== id)
  conversations.set({ pinned: without(conversations.get().pinned), rows: without(conversations.get().rows) })
}

/** @param {Pick<Conversation, 'title'>} conversation */
export function titleOf({ title }) {
  return title?.trim() || 'Untitled'
}

// Nobody can take it back once the page is gone.
addEventListener('pagehide', () => {
  for (const finish of [...going.values()]) finish()
})

hearOthers(({ kind, id }) => {
  if (kind === 'changed') return void refresh(id)
  drop(id)
  if (route.get().id === id) show(null)
})
