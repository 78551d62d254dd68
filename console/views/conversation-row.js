import { Component, html, useEffect, useRef, useState } from '../preact.js'
import { change, remove } from '../state/conversation-changes.js'
import { titleOf } from '../state/conversations.js'
import { pathOf } from '../state/route.js'
import { keepFocus } from './focus.js'
import { IconButton } from './icons.js'

/** @typedef {{ row: import('../state/conversations.js').Conversation, isShown: boolean }} Props */

/** There may be thousands: one that is the same is not drawn again. */
export class ConversationRow extends Component {
  /** @param {Props} next */
  shouldComponentUpdate(next) {
    const { row, isShown } = /** @type {any} */ (this).props
    return next.row !== row || next.isShown !== isShown
  }

  /** @param {Props} props */
  render(props) {
    return html`<${Row} ...${props} />`
  }
}

/** @param {Props} props */
function Row({ row, isShown }) {
  const [renaming, setRenaming] = useState(false)
  const link = useRef(/** @type {HTMLElement | null} */ (null))
  const title = titleOf(row)
  const stopRenaming = () => {
    setRenaming(false)
    requestAnimationFrame(() => link.current?.focus())
  }
  if (renaming) return html`<li class="row"><${Rename} row=${row} done=${stopRenaming} /></li>`
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key === 'F2') setRenaming(true)
    else if (event.key === 'Delete') removeAndMove(row, event.target)
    else return
    event.preventDefault()
  }
  return html`<li class="row">
    <a ref=${link} href=${pathOf(row.id)} title=${title} aria-current=${isShown ? 'page' : undefined} onKeyDown=${onKey}>${title}</a>
    <div class="row-actions">
      <${IconButton} icon="pin" label=${row.pinned ? `Unpin ${title}` : `Pin ${title}`} pressed=${row.pinned} onClick=${() => pin(row)} />
      <${IconButton} icon="pencil" label=${`Rename ${title}`} onClick=${() => setRenaming(true)} />
      <${IconButton} icon="trash" label=${`Delete ${title}`} onClick=${(/** @type {any} */ event) => removeAndMove(row, event.target)} />
    </div>
  </li>`
}

/** In the other list it is another row. @param {Props['row']} row */
async function pin({ id, pinned }) {
  await change(id, { pinned: !pinned })
  keepFocus(() => {
    const link = document.querySelector(`.list a[href="${pathOf(id)}"]`)
    return link?.closest('li')?.querySelector('button')
  })
}

/** The focus goes to the neighbour, not to nowhere. @param {Props['row']} row @param {any} target */
function removeAndMove(row, target) {
  const item = target.closest('li')
  const next = item?.nextElementSibling ?? item?.previousElementSibling
  remove(row)
  requestAnimationFrame(() => (next?.querySelector('a') ?? document.getElementById('search'))?.focus())
}

/** @param {{ row: Props['row'], done: () => void }} props */
function Rename({ row, done }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null))
  const over = useRef(false)
  useEffect(() => input.current?.select(), [])
  /** @param {boolean} isSaved */
  const finish = (isSaved) => {
    if (over.current) return
    over.current = true
    const title = input.current?.value.trim() ?? ''
    if (isSaved && title !== '' && title !== row.title) change(row.id, { title })
    done()
  }
  return html`<input ref=${input} class="rename" aria-label="Title" maxlength="512" value=${row.title ?? ''} autofocus
    onBlur=${() => finish(true)}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Enter') finish(true)
      else if (event.key === 'Escape') finish(false)
      event.stopPropagation()
    }} />`
}
