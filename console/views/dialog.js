import { html, useEffect, useRef } from '../preact.js'
import { IconButton } from './icons.js'

/**
 * A dialog above the page, which keeps the focus and closes with Escape.
 * @param {{ title: string, close: () => void, children?: unknown }} props
 */
export function Dialog({ title, close, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null))
  useEffect(() => {
    const { current } = dialog
    current?.showModal()
    return () => current?.close()
  }, [])
  return html`<dialog ref=${dialog} aria-label=${title} onClose=${close} onClick=${(/** @type {Event} */ event) => event.target === dialog.current && close()}>
    <div class="dialog">
      <header><h2>${title}</h2><${IconButton} icon="close" label="Close" onClick=${close} /></header>
      ${children}
    </div>
  </dialog>`
}
