import { html, render } from './preact.js'
import { startTheme } from './state/theme.js'
import { App } from './views/app.js'

startTheme()
const root = /** @type {HTMLElement} */ (document.getElementById('app'))
root.replaceChildren()
render(html`<${App} />`, root)
