import { html, useEffect, useRef } from '../preact.js'

/** @param {{ text: string, send: (text: string) => void, cancel: () => void }} props */
export function EditQuestion({ text, send, cancel }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null))
  useEffect(() => {
    const { current } = field
    current?.focus()
    current?.setSelectionRange(text.length, text.length)
  }, [])
  const submit = () => {
    const edited = field.current?.value.trim() ?? ''
    if (edited !== '') send(edited)
  }
  return html`<div class="edit">
    <textarea ref=${field} aria-label="The question" rows="3"
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === 'Escape') cancel()
        else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit()
        else return
        event.preventDefault()
        event.stopPropagation()
      }}>${text}</textarea>
    <div class="edit-actions">
      <span>What follows is replaced, and can still be looked at.</span>
      <button type="button" onClick=${cancel}>Cancel</button>
      <button type="button" class="primary" onClick=${submit}>Send</button>
    </div>
  </div>`
}
