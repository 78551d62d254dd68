import { html, useCallback, useEffect, useMemo, useRef } from '../preact.js'
import { conversations, titleOf } from '../state/conversations.js'
import { isGoing } from '../state/going.js'
import { modelFor, models } from '../state/models.js'
import { useStore } from '../state/store.js'
import { toastError } from '../state/toasts.js'
import { shownTurns, versionsByParent } from '../text/versions.js'
import { Composer } from './composer.js'
import { ExportMenu } from './export-menu.js'
import { chatPlace, keepFocus } from './focus.js'
import { useFollowing } from './following.js'
import { Icon, IconButton } from './icons.js'
import { LiveTurn } from './live-turn.js'
import { useSentinel } from './sentinel.js'
import { TurnView } from './turn.js'
import { useAnchor, useWindow } from './window.js'

/** @param {{ thread: import('../state/thread.js').Thread, openMenu: () => void }} props */
export function Thread({ thread, openMenu }) {
  const state = useStore(thread.store, (all) => all)
  const { id, turns, live, viewed } = state
  const listed = useStore(conversations, ({ pinned, rows }) =>
    [...pinned, ...rows].find((row) => row.id === id)
  )
  const conversation = listed ?? state.conversation
  const model = useStore(models, () => modelFor(conversation?.model ?? turns.at(-1)?.model))
  const box = useRef(/** @type {HTMLElement | null} */ (null))

  const title = conversation ? titleOf(conversation) : id === null ? 'New chat' : 'Conversation'
  useEffect(() => {
    document.title = id === null ? 'Turnkeeper' : `${title} · Turnkeeper`
  }, [title, id])

  const waits = useStore(conversations, () => id !== null && isGoing(id))
  useEffect(() => {
    if (state.missing) thread.load() // a deletion was taken back
  }, [waits])

  const path = useMemo(() => shownTurns(turns, viewed), [turns, viewed])
  const versions = useMemo(() => versionsByParent(turns), [turns])
  const before = live?.parentSeq ?? null
  const shown = before === null ? path : path.filter(({ seq }) => seq <= before)
  const { start, end, hasAbove, hasBelow, up, down, reset } = useWindow(
    shown.length,
    state.hasOlder,
    thread.loadOlder
  )
  const { isAtEnd, toEnd } = useFollowing(box, hasBelow)
  const drawn = shown.slice(start, end)
  const first = drawn[0]?.seq
  useAnchor(box, first)
  const above = useRef(null)
  const below = useRef(null)
  useSentinel(box, above, () => goUp(box, up), [first, hasAbove, shown.length])
  useSentinel(box, below, down, [end, hasBelow])
  const toNewest = () => {
    reset()
    toEnd()
    keepFocus(chatPlace)
  }

  const showCurrent = () => {
    thread.view(null)
    keepFocus(chatPlace)
  }

  /** @param {any[]} messages @param {number | null} [parentSeq] */
  const ask = async (messages, parentSeq = null) => {
    const tip = viewed === null ? null : (path.at(-1)?.seq ?? null)
    toNewest()
    await thread.ask(messages, { model, parentSeq: parentSeq ?? tip })
  }
  // Turns are not drawn again for a new function, so theirs stays the same and calls the newest.
  const newestAsk = useRef(ask)
  newestAsk.current = ask
  const askAgain = useCallback((/** @type {any[]} */ messages, /** @type {number} */ parentSeq) => {
    newestAsk.current(messages, parentSeq).catch(toastError)
    keepFocus(chatPlace)
  }, [])

  return html`
    <header class="bar">
      <${IconButton} icon="menu" label="Conversations" extra="only-narrow" onClick=${openMenu} />
      <h1>${title}</h1>
      ${id !== null && turns.length > 0 && html`<${ExportMenu} id=${id} />`}
    </header>
    <div class="scroller" ref=${box} tabindex="0" role="region" aria-label="Messages">
      <div class="turns">
        <div class="sentinel" ref=${above} hidden=${!hasAbove}>Loading older turns…</div>
        ${id === null && !live && html`<${Welcome} />`}
        ${noteOf(state) && html`<p class="thread-note" role="status">${noteOf(state)}</p>`}
        ${state.failed && html`<button type="button" onClick=${thread.load}>Try again</button>`}
        <div>${drawn.map((turn) => {
          const all = versions.get(turn.parent_seq)
          return html`<${TurnView} key=${turn.seq} turn=${turn} versions=${all?.includes(turn.seq) ? all.join() : ''}
            isBusy=${live !== null} ask=${askAgain} view=${thread.view} />`
        })}</div>
        <div class="sentinel" ref=${below} hidden=${!hasBelow}>Loading newer turns…</div>
        ${live && !hasBelow && html`<${LiveTurn} key="live" live=${live} model=${model} />`}
      </div>
      ${!isAtEnd && html`<button type="button" class="to-end" aria-label="To the newest" onClick=${toNewest}><${Icon} name="down" /></button>`}
    </div>
    ${
      viewed !== null &&
      html`<p class="viewed" role="status">This is a version that was replaced. Going on from it brings it back.
        <button type="button" onClick=${showCurrent}>Show the current one</button></p>`
    }
    ${!state.missing && html`<${Composer} id=${id} isBusy=${live !== null} model=${model} ask=${ask} stop=${thread.stop} />`}`
}

/** @param {{ loading: boolean, missing: boolean, failed: boolean }} state */
function noteOf({ loading, missing, failed }) {
  if (loading) return 'Loading…'
  if (missing) return 'There is no such conversation. It may have been deleted.'
  return failed ? 'The conversation could not be read.' : ''
}

function Welcome() {
  return html`<div class="welcome">
    <h2>What would you like to know?</h2>
    <p>The answer streams, and the exchange is kept as one turn.</p>
  </div>`
}

/** @param {{ current: HTMLElement | null }} box @param {() => void} up */
function goUp({ current }, up) {
  // At the very top a browser holds on to nothing, and what comes above pushes all down.
  if (current && current.scrollTop < 1) current.scrollTop = 1
  up()
}
