import { html, useEffect, useState } from '../preact.js'
import { access } from '../state/api.js'
import { reload } from '../state/conversations.js'
import { loadModels } from '../state/models.js'
import { route, show } from '../state/route.js'
import { useStore } from '../state/store.js'
import { threadOf } from '../state/threads.js'
import { KeysDialog } from './keys-dialog.js'
import { Sidebar } from './sidebar.js'
import { SignIn } from './sign-in.js'
import { Stats } from './stats/stats.js'
import { Thread } from './thread.js'
import { Toasts } from './toasts.js'

export function App() {
  const { view, id } = useStore(route, (state) => state)
  const needed = useStore(access, (state) => state.needed)
  const [menuOpen, setMenuOpen] = useState(false)
  const [keysShown, setKeysShown] = useState(false)

  useEffect(() => {
    reload()
    loadModels()
  }, [])
  useEffect(() => setMenuOpen(false), [view, id])
  useEffect(() => listenToKeys(setMenuOpen, setKeysShown), [])

  if (needed) return html`<${SignIn} />`
  const closeMenu = () => setMenuOpen(false)
  return html`
    <a class="skip" href="#content" onClick=${focusContent}>Skip to the conversation</a>
    <div class="layout" data-menu=${menuOpen ? 'open' : 'closed'}>
      <${Sidebar} shownId=${id} view=${view} showKeys=${() => setKeysShown(true)} close=${closeMenu} />
      <div class="shade" onClick=${closeMenu}></div>
      <main id="content" tabindex="-1">
        ${
          view === 'stats'
            ? html`<${Stats} openMenu=${() => setMenuOpen(true)} />`
            : html`<${ShownThread} id=${id} openMenu=${() => setMenuOpen(true)} />`
        }
      </main>
    </div>
    ${keysShown && html`<${KeysDialog} close=${() => setKeysShown(false)} />`}
    <${Toasts} />`
}

/** @param {{ id: string | null, openMenu: () => void }} props */
function ShownThread({ id, openMenu }) {
  const thread = threadOf(id)
  return html`<${Thread} key=${thread} thread=${thread} openMenu=${openMenu} />`
}

/** The address is the route, so it must stay as it is. @param {Event} event */
function focusContent(event) {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

/**
 * @param {(open: boolean) => void} setMenuOpen
 * @param {(shown: boolean) => void} setKeysShown
 */
function listenToKeys(setMenuOpen, setKeysShown) {
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    const { key, code, altKey, ctrlKey, metaKey } = event
    if ((ctrlKey || metaKey) && key.toLowerCase() === 'k') {
      setMenuOpen(true)
      requestAnimationFrame(() => document.getElementById('search')?.focus())
    } else if ((ctrlKey || metaKey) && key === '/') setKeysShown(true)
    else if (altKey && code === 'KeyN') {
      show(null)
      requestAnimationFrame(() => document.getElementById('message')?.focus())
    } else if (key === 'Escape') return setMenuOpen(false)
    else return
    event.preventDefault()
  }
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}
