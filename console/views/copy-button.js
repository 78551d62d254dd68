import { html, useState } from '../preact.js'
import { toast } from '../state/toasts.js'
import { IconButton } from './icons.js'

const SHOWN_MS = 1500

/** @param {{ label: string, text: () => string }} props */
export function CopyButton({ label, text }) {
  const [isDone, setIsDone] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text())
      setIsDone(true)
      setTimeout(() => setIsDone(false), SHOWN_MS)
    } catch {
      toast('The browser does not let this page copy.', { kind: 'error' }) // over http it does on a loopback address alone
    }
  }
  return html`<${IconButton} icon=${isDone ? 'check' : 'copy'} label=${isDone ? 'Copied' : label} onClick=${copy} />`
}
