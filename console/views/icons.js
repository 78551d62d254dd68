import { html } from '../preact.js'

/** Drawn here, on a grid of 24: no icon font, nothing to load. */
const PATHS = {
  plus: 'M12 5v14M5 12h14',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20',
  pin: 'M9 4h6l-.7 6 3.2 3v1.5h-11V13l3.2-3L9 4ZM12 14.5V21',
  pencil: 'M4 20l1-4L16 5l3 3L8 19l-4 1ZM14 7l3 3',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M5 12.5l4.5 4.5L19 7',
  again: 'M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6',
  stop: 'M7 7h10v10H7z',
  send: 'M12 20V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  left: 'M14.5 6l-6 6 6 6',
  right: 'M9.5 6l6 6-6 6',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6L6 18',
  chart: 'M5 20v-7M12 20V4M19 20v-11',
  save: 'M12 4v11M7 10l5 5 5-5M5 20h14',
  light:
    'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z',
  system: 'M3 5h18v11H3zM9 20h6M12 16v4',
  keys: 'M3 7h18v11H3zM7 11h.01M11 11h.01M15 11h.01M8 14.5h8',
  leave: 'M14 4h5v16h-5M10 12H4M7 8.5 3.5 12 7 15.5'
}

/** @param {{ name: keyof typeof PATHS }} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`
}

/**
 * A button that is a picture, with a name for everybody who does not see it.
 * @param {{ icon: keyof typeof PATHS, label: string, onClick: (event: MouseEvent) => void, pressed?: boolean, disabled?: boolean, keys?: string, extra?: string }} props
 */
export function IconButton({ icon, label, onClick, pressed, disabled = false, keys, extra = '' }) {
  return html`<button type="button" class=${`icon-button ${extra}`} aria-label=${label} title=${keys ? `${label} (${keys})` : label}
    aria-pressed=${pressed === undefined ? undefined : String(pressed)} disabled=${disabled} onClick=${onClick}><${Icon} name=${icon} /></button>`
}
