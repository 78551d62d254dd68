import { client, isRefused } from './api.js'
import { isGoing, refresh, reload } from './conversations.js'
import { createLiveAnswer } from './live-answer.js'
import { becomes, route } from './route.js'
import { createStore } from './store.js'
import { hearOthers, tellOthers } from './tabs.js'
import { toastError } from './toasts.js'
import { messagesOfUnfiled, unfiledTurn } from './unfiled.js'

/**
 * @typedef {import('../../client/index.d.ts').Turn} Turn
 * @typedef {ReturnType<typeof import('./live-answer.js').createLiveAnswer>} LiveAnswer
 * @typedef {{ messages: any[], parentSeq: number | null, answer: LiveAnswer, stop: () => void }} Live
 * @typedef {ReturnType<typeof createThread>} Thread
 */

const PAGE = 60
const LOOK_AGAIN_MS = 1000

/**
 * The turns of one conversation as far as they were read, and the answer that is coming; `null` is a chat that is yet
 * to begin.
 * @param {string | null} initialId
 */
export function createThread(initialId) {
  const store = createStore({
    id: initialId,
    /** As it was when its turns were read; the list may know it better. */
    conversation: /** @type {import('./conversations.js').Conversation | null} */ (null),
    /** By seq, replaced ones included. */
    turns: /** @type {Turn[]} */ ([]),
    hasOlder: false,
    loading: initialId !== null,
    missing: false,
    failed: false,
    /** The seq of a replaced turn whose version is shown. */
    viewed: /** @type {number | null} */ (null),
    live: /** @type {Live | null} */ (null)
  })
  let pages = readPages()
  let busy = false
  let closed = false
  let watched = false

  function readPages() {
    const { id } = store.get()
    return id === null
      ? null
      : client.turns.list(id, { order: 'desc', limit: PAGE, include: 'superseded' }).pages()
  }

  /** Reads the newest turns; what was read of it before is forgotten. */
  async function load() {
    const current = readPages()
    pages = current
    if (!current) return
    if (isGoing(store.get().id ?? '')) return store.set({ loading: false, missing: true })
    try {
      const [{ value }, conversation] = await Promise.all([
        current.next(),
        client.conversations.get(store.get().id ?? '')
      ])
      if (pages !== current) return
      store.set({
        conversation,
        turns: (value?.data ?? []).toReversed(),
        hasOlder: value?.has_more ?? false,
        loading: false,
        missing: false,
        failed: false
      })
      watchRunning()
    } catch (err) {
      const missing = /** @type {any} */ (err).status === 404
      store.set({ loading: false, missing, failed: !missing && !isRefused(err) })
    }
  }

  async function loadOlder() {
    const current = pages
    if (busy || !current || !store.get().hasOlder) return
    busy = true
    try {
      const { value } = await current.next()
      if (pages !== current) return
      store.set({
        turns: [...(value?.data ?? []).toReversed(), ...store.get().turns],
        hasOlder: value?.has_more ?? false
      })
    } catch (err) {
      if (!isRefused(err)) toastError(err)
    } finally {
      busy = false
    }
  }

  /** Reads what came since, and all anew where that has replaced something. */
  async function catchUp() {
    const { id, turns, live } = store.get()
    const newest = turns.at(-1)
    if (id === null || live || !newest) return
    try {
      const query = { after_seq: newest.seq, limit: 100, include: /** @type {const} */ ('superseded') }
      const { value } = await client.turns.list(id, query).pages().next()
      const added = value?.data ?? []
      if (added.length === 0 || store.get().turns !== turns || store.get().live) return
      const path = [newest, ...added]
      const goesOn = !newest.superseded && added.every(({ parent_seq }, at) => parent_seq === path[at]?.seq)
      if (!goesOn || value?.has_more) return await load()
      store.set({ turns: [...turns, ...added] })
      watchRunning()
    } catch (err) {
      isRefused(err) // it is read again with the next change
    }
  }

  /** Turns that another window, or another client, is running: asks until they have ended. */
  async function watchRunning() {
    if (watched) return
    watched = true
    while (!closed) {
      const running = store.get().turns.filter(({ status }) => status === 'in_progress')
      if (running.length === 0 || store.get().live) break
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
      const read = running.map(({ seq }) => client.turns.get(store.get().id ?? '', seq).catch(() => null))
      const ended = (await Promise.all(read)).filter((turn) => turn !== null && turn.status !== 'in_progress')
      // One that has ended may have replaced others.
      if (ended.length > 0 && !store.get().live) await load()
    }
    watched = false
  }

  /**
   * Asks, and shows the answer as it comes. Rejects when nothing could be stored, and nothing is shown of it then.
   * @param {any[]} messages
   * @param {{ model?: string | undefined, parentSeq?: number | null }} options `parentSeq`: the turn to follow, to regenerate or edit.
   */
  async function ask(messages, { model, parentSeq = null }) {
    const { id, viewed, turns } = store.get()
    const before = id === null ? turns.filter(({ seq }) => parentSeq === null || seq <= parentSeq) : []
    const stream = client.chat.stream(
      {
        messages: [...before.flatMap(messagesOfUnfiled), ...messages],
        ...(model && { model }),
        ...(id !== null && { conversation: id })
      },
      parentSeq === null || id === null ? {} : { parentSeq }
    )
    const answer = createLiveAnswer(stream.chunks())
    let stopped = false
    const stop = () => {
      stopped = true
      stream.stop()
    }
    store.set({ live: { messages, parentSeq, answer, stop }, missing: false })
    const ended = answer.read().catch((err) => err)
    try {
      const filed = await stream.filed
      if (id === null && filed) began(filed.conversationId)
      if (filed) tellOthers({ kind: 'changed', id: filed.conversationId })
      const failure = await ended
      if (id === null && !filed) {
        if (stopped && !answer.store.get().begun) {
          reload() // where it is kept was not said yet
          throw new DOMException('It was stopped before it began.', 'AbortError')
        }
        if (failure) toastError(failure)
        const ending = failure || stopped ? 'incomplete' : 'completed'
        store.set({ turns: [...before, unfiledTurn(before.length + 1, messages, answer.message(), ending)] })
        return
      }
      const turn = await stream.turn()
      if (failure && turn?.status !== 'incomplete') toastError(failure) // of the others the turn says enough
      const newest = store.get().turns.findLast((one) => one.seq !== turn?.seq && !one.superseded)
      const isNext = viewed === null && turn?.parent_seq === (newest?.seq ?? 0)
      if (turn && isNext)
        store.set({ turns: [...store.get().turns.filter(({ seq }) => seq !== turn.seq), turn], live: null })
      else if (store.get().id !== null) await load()
    } catch (err) {
      isRefused(err)
      throw err
    } finally {
      store.set({ live: null, ...(parentSeq !== null && { viewed: null }) })
      const kept = store.get().id
      if (kept !== null) {
        refresh(kept)
        tellOthers({ kind: 'changed', id: kept })
        watchRunning()
      }
    }
  }

  /** @param {string} id */
  function began(id) {
    const wasShown = thread === shown && route.get().view === 'chat' && route.get().id === null
    store.set({ id })
    refresh(id)
    live.set(id, thread)
    if (wasShown) becomes(id)
  }

  const thread = {
    store,
    load,
    loadOlder,
    catchUp,
    ask,
    stop: () => store.get().live?.stop(),
    /** Shows the version with this turn; a turn that counts is shown anyway. @param {number | null} seq */
    view: (seq) =>
      store.set({
        viewed: store.get().turns.some((turn) => turn.seq === seq && turn.superseded) ? seq : null
      }),
    close() {
      closed = true
    }
  }
  return thread
}

/** Threads whose answer goes on while another is shown. @type {Map<string, Thread>} */
const live = new Map()
let shown = createThread(null)

/** The thread of a conversation, or a new one. @param {string | null} id @returns {Thread} */
export function threadOf(id) {
  if (shown.store.get().id === id && (id !== null || !shown.store.get().live)) return shown
  const left = shown.store.get()
  if (left.live && left.id !== null) live.set(left.id, shown)
  else if (!left.live) shown.close()
  for (const [key, thread] of live) if (!thread.store.get().live) live.delete(key)
  const known = id === null ? undefined : live.get(id)
  shown = known ?? createThread(id)
  if (!known) shown.load()
  return shown
}

hearOthers(({ kind, id }) => {
  if (kind === 'changed' && shown.store.get().id === id) shown.catchUp()
})
