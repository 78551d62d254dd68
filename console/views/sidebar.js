import { html, useEffect, useRef, useState } from '../preact.js'
import { access, signIn } from '../state/api.js'
import { conversations, loadMore, reload, search } from '../state/conversations.js'
import { show } from '../state/route.js'
import { useStore } from '../state/store.js'
import { nextTheme, theme } from '../state/theme.js'
import { ConversationRow } from './conversation-row.js'
import { Icon, IconButton } from './icons.js'
import { useSentinel } from './sentinel.js'

const TYPED_FOR_MS = 200

/** @param {{ shownId: string | null, view: string, showKeys: () => void, close: () => void }} props */
export function Sidebar({ shownId, view, showKeys, close }) {
  const themeName = useStore(theme, (state) => state.name)
  const signedIn = useStore(access, (state) => state.given)
  // Also where the link leads to what is shown already, which changes nothing else.
  const onClick = (/** @type {any} */ event) => event.target.closest('a') && close()
  return html`<nav class="sidebar" aria-label="Conversations" onClick=${onClick}>
    <header>
      <a class="brand" href="#/">Turnkeeper</a>
      <${IconButton} icon="plus" label="New chat" keys="Alt+N" onClick=${() => startChat(close)} />
      <${IconButton} icon="close" label="Close the list" extra="only-narrow" onClick=${close} />
    </header>
    <${Search} />
    <${List} shownId=${shownId} />
    <footer>
      <a class="icon-button wide to-stats" href="#/stats" aria-current=${view === 'stats' ? 'page' : undefined}><${Icon} name="chart" /> Stats</a>
      <${IconButton} icon=${themeName} label=${`Theme: ${themeName}`} onClick=${nextTheme} />
      <${IconButton} icon="keys" label="Keyboard" keys="Ctrl+/" onClick=${showKeys} />
      ${signedIn && html`<${IconButton} icon="leave" label="Sign out" onClick=${() => signIn(null)} />`}
    </footer>
  </nav>`
}

/** @param {() => void} close */
function startChat(close) {
  show(null)
  close()
  requestAnimationFrame(() => document.getElementById('message')?.focus())
}

function Search() {
  const [text, setText] = useState('')
  const timer = useRef(/** @type {any} */ (0))
  /** @param {string} typed @param {number} ms */
  const type = (typed, ms) => {
    setText(typed)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => search(typed.trim()), ms)
  }
  return html`<div class="search" role="search">
    <${Icon} name="search" />
    <input id="search" type="search" placeholder="Search" aria-label="Search conversations" maxlength="512" value=${text}
      onInput=${(/** @type {any} */ { target }) => type(target.value, TYPED_FOR_MS)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === 'Escape' && text !== '') type('', 0)
        else if (event.key === 'ArrowDown')
          /** @type {HTMLElement | null} */ (document.querySelector('.list a'))?.focus()
      }} />
  </div>`
}

/** @param {{ shownId: string | null }} props */
function List({ shownId }) {
  const { pinned, rows, query, loading, hasMore, failed } = useStore(conversations, (state) => state)
  const box = useRef(null)
  const sentinel = useRef(null)
  useSentinel(box, sentinel, loadMore, [rows.length, hasMore])
  useEffect(() => {
    if (shownId) document.querySelector('.list a[aria-current]')?.scrollIntoView({ block: 'nearest' })
  }, [shownId])

  const count = pinned.length + rows.length
  return html`<div class="list" ref=${box} onKeyDown=${moveInList}>
    ${pinned.length > 0 && html`<h2 id="pinned">Pinned</h2><${Rows} name="pinned" rows=${pinned} shownId=${shownId} />`}
    ${pinned.length > 0 && rows.length > 0 && html`<h2 id="others">All</h2>`}
    <${Rows} name=${pinned.length > 0 ? 'others' : undefined} rows=${rows} shownId=${shownId} />
    ${hasMore && html`<div class="sentinel" ref=${sentinel}>Loading more…</div>`}
    <div class="list-note" role="status">${noteOf({ count, query, loading, failed })}
      ${failed && html` <button type="button" onClick=${reload}>Try again</button>`}</div>
  </div>`
}

/** @param {{ count: number, query: string, loading: boolean, failed: boolean }} list */
function noteOf({ count, query, loading, failed }) {
  if (failed) return 'The list could not be read.'
  if (loading) return count === 0 ? 'Loading…' : ''
  if (count > 0) return ''
  return query === '' ? 'No conversations yet. Ask something.' : 'Nothing found. Words are searched whole.'
}

/** @param {{ name: string | undefined, rows: import('../state/conversations.js').Conversation[], shownId: string | null }} props */
function Rows({ name, rows, shownId }) {
  if (rows.length === 0) return null
  return html`<ul aria-labelledby=${name} aria-label=${name ? undefined : 'Conversations'}>
    ${rows.map((row) => html`<${ConversationRow} key=${row.id} row=${row} isShown=${row.id === shownId} />`)}
  </ul>`
}

/** @param {KeyboardEvent} event */
function moveInList(event) {
  const target = /** @type {HTMLElement} */ (event.target)
  if (!target.matches('.list a')) return
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.list a')])
  const at = links.indexOf(target)
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key]
  if (next === undefined) return
  event.preventDefault()
  if (next < 0) document.getElementById('search')?.focus()
  else links[next]?.focus()
}
