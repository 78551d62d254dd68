import { client, isRefused } from './api.js'
import { refresh } from './conversation-changes.js'
import { reload } from './conversations.js'
import { createLiveAnswer } from './live-answer.js'
import { createStore } from './store.js'
import { tellOthers } from './tabs.js'
import { createReader } from './thread-reader.js'
import { initialState } from './thread-state.js'
import { toastError } from './toasts.js'
import { messagesOfUnfiled, unfiledTurn } from './unfiled.js'

/** @typedef {ReturnType<typeof createThread>} Thread */

/**
 * The turns of one conversation as far as they were read, and the answer that is coming; `null` is a chat that is yet
 * to begin.
 * @param {string | null} initialId
 * @param {(thread: Thread, id: string) => void} onBegan Hears that the chat has become a conversation.
 */
export function createThread(initialId, onBegan) {
  const store = createStore(initialState(initialId))
  const { load, loadOlder, catchUp, watchRunning, close } = createReader(store)

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
    store.set({ id })
    refresh(id)
    onBegan(thread, id)
  }

  const thread = {
    store,
    load,
    loadOlder,
    catchUp,
    close,
    ask,
    stop: () => store.get().live?.stop(),
    /** Shows the version with this turn; a turn that counts is shown anyway. @param {number | null} seq */
    view: (/** @type {number | null} */ seq) =>
      store.set({
        viewed: store.get().turns.some((turn) => turn.seq === seq && turn.superseded) ? seq : null
      })
  }
  return thread
}
