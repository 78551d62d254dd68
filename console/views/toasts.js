import { html } from '../preact.js'
import { useStore } from '../state/store.js'
import { toasts } from '../state/toasts.js'

export function Toasts() {
  const list = useStore(toasts, (state) => state.list)
  return html`<div class="toasts" role="status" aria-live="polite">
    ${list.map(
      ({ key, text, kind, undo }) => html`<div key=${key} class=${`toast ${kind}`}>
        <span>${text}</span>${undo && html`<button type="button" onClick=${undo}>Undo</button>`}
      </div>`
    )}
  </div>`
}
