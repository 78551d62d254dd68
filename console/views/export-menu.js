import { html, useRef } from '../preact.js'
import { client } from '../state/api.js'
import { titleOf } from '../state/conversations.js'
import { toast, toastError } from '../state/toasts.js'
import { toJson, toMarkdown } from '../text/export.js'
import { Icon } from './icons.js'

const FORMATS = /** @type {const} */ ({
  JSON: { make: toJson, type: 'application/json', ending: 'json' },
  Markdown: { make: toMarkdown, type: 'text/markdown', ending: 'md' }
})

/** @param {{ id: string }} props */
export function ExportMenu({ id }) {
  const menu = useRef(/** @type {HTMLDetailsElement | null} */ (null))
  /** @param {() => Promise<void>} work */
  const run = async (work) => {
    if (menu.current) menu.current.open = false
    menu.current?.querySelector('summary')?.focus()
    await work().catch(toastError)
  }
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (event.key === 'Escape') run(async () => {})
  }
  return html`<details class="menu" ref=${menu} onKeyDown=${onKey}>
    <summary class="icon-button wide"><${Icon} name="save" /> Export</summary>
    <div>
      <button type="button" onClick=${() => run(() => save(id, FORMATS.JSON))}>JSON: all that is stored</button>
      <button type="button" onClick=${() => run(() => save(id, FORMATS.Markdown))}>Markdown: to read</button>
      <button type="button" onClick=${() => run(() => copy(id))}>Copy as Markdown</button>
    </div>
  </details>`
}

/** @param {string} id */
async function read(id) {
  const turns = []
  for await (const turn of client.turns.list(id, { limit: 100, include: 'superseded' })) turns.push(turn)
  return { conversation: await client.conversations.get(id), turns }
}

/** @param {string} id @param {typeof FORMATS[keyof typeof FORMATS]} format */
async function save(id, { make, type, ending }) {
  const { conversation, turns } = await read(id)
  const url = URL.createObjectURL(new Blob([make(conversation, turns)], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = `${fileName(titleOf(conversation))}.${ending}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** @param {string} id */
async function copy(id) {
  const { conversation, turns } = await read(id)
  await navigator.clipboard.writeText(toMarkdown(conversation, turns))
  toast('Copied')
}

/** A name that every file system takes. @param {string} title */
function fileName(title) {
  return (
    title
      .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 60) || 'conversation'
  )
}
