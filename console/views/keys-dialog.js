import { html } from '../preact.js'
import { Dialog } from './dialog.js'

const KEYS = [
  ['Enter', 'send'],
  ['Shift + Enter', 'a new line'],
  ['Escape', 'stop the answer, or leave what is open'],
  ['Ctrl or ⌘ + K', 'search'],
  ['Alt + N', 'a new chat'],
  ['↑ ↓ Home End', 'move in the list of conversations'],
  ['F2', 'rename the conversation in the list'],
  ['Delete', 'delete the conversation in the list'],
  ['Ctrl or ⌘ + /', 'this list']
]

/** @param {{ close: () => void }} props */
export function KeysDialog({ close }) {
  return html`<${Dialog} title="Keyboard" close=${close}>
    <dl class="keys">${KEYS.map(([keys, what]) => html`<div><dt><kbd>${keys}</kbd></dt><dd>${what}</dd></div>`)}</dl>
  <//>`
}
