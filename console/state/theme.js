import { createStore } from './store.js'

const KEY = 'turnkeeper-theme'
const THEMES = ['system', 'light', 'dark']

export const theme = createStore({ name: 'system' })

/** Shows the theme that was chosen here before; `system` is that of the device. */
export function startTheme() {
  apply(localStorage.getItem(KEY) ?? 'system')
}

export function nextTheme() {
  const next = THEMES[(THEMES.indexOf(theme.get().name) + 1) % THEMES.length] ?? 'system'
  localStorage.setItem(KEY, next)
  apply(next)
}

/** @param {string} name */
function apply(name) {
  const known = THEMES.includes(name) ? name : 'system'
  document.documentElement.dataset.theme = known
  theme.set({ name: known })
}
