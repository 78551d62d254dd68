import { html, useEffect, useLayoutEffect, useRef, useState } from '../preact.js'
import { chooseModel, models } from '../state/models.js'
import { useStore } from '../state/store.js'
import { toastError } from '../state/toasts.js'
import { IconButton } from './icons.js'

/**
 * @param {{
 *   id: string | null, isBusy: boolean, model: string | undefined,
 *   ask: (messages: any[]) => Promise<void>, stop: () => void
 * }} props
 */
export function Composer({ id, isBusy, model, ask, stop }) {
  const draftKey = `turnkeeper-draft-${id ?? 'new'}`
  const draft = useRef(draftKey)
  const [text, setText] = useState(() => sessionStorage.getItem(draftKey) ?? '')
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null))
  useEffect(() => {
    if (matchMedia('(hover: hover)').matches) field.current?.focus()
  }, [])
  useLayoutEffect(() => {
    if (draft.current === draftKey) return
    // The new chat has become a conversation, and what is typed already goes with it.
    sessionStorage.removeItem(draft.current)
    draft.current = draftKey
    keepDraft(draftKey, text)
  }, [draftKey])

  /** @param {string} typed */
  const type = (typed) => {
    keepDraft(draft.current, typed)
    setText(typed)
  }
  const send = async () => {
    const content = text.trim()
    if (content === '' || isBusy) return
    type('')
    try {
      await ask([{ role: 'user', content }])
    } catch (err) {
      type(sessionStorage.getItem(draft.current) ?? content) // nothing was kept, so nobody has to type it again
      toastError(err)
    }
  }
  const stopHere = () => {
    stop()
    if (matchMedia('(hover: hover)').matches) field.current?.focus() // the button is to go
  }
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key === 'Escape' && isBusy) stop()
    else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send()
    else return
    event.preventDefault()
  }

  /** @param {Event} event */
  const onSubmit = (event) => {
    event.preventDefault()
    send()
  }

  return html`<form class="composer" onSubmit=${onSubmit}>
    <textarea id="message" ref=${field} rows="1" aria-label="Message" placeholder="Message" value=${text}
      onInput=${(/** @type {any} */ event) => type(event.target.value)} onKeyDown=${onKey}></textarea>
    <div class="composer-row">
      <${ModelPicker} model=${model} />
      ${
        isBusy
          ? html`<${IconButton} icon="stop" label="Stop" keys="Escape" extra="send" onClick=${stopHere} />`
          : html`<${IconButton} icon="send" label="Send" keys="Enter" extra="send" disabled=${text.trim() === ''} onClick=${send} />`
      }
    </div>
  </form>`
}

/** @param {string} key @param {string} text */
function keepDraft(key, text) {
  if (text === '') sessionStorage.removeItem(key)
  else sessionStorage.setItem(key, text)
}

/** @param {{ model: string | undefined }} props */
function ModelPicker({ model }) {
  const { ids, failed } = useStore(models, (state) => state)
  if (ids.length === 0)
    return html`<span class="model">${failed ? 'The models could not be read' : ''}</span>`
  return html`<select aria-label="Model" value=${model} onChange=${(/** @type {any} */ event) => chooseModel(event.target.value)}>
    ${ids.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
  </select>`
}
