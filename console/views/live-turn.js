import { html } from '../preact.js'
import { useStore } from '../state/store.js'
import { questionOf } from '../text/content.js'
import { Answer, Question } from './turn.js'

/** The turn that is being answered. @param {{ live: import('../state/thread-state.js').Live, model: string | undefined }} props */
export function LiveTurn({ live, model }) {
  const { parts, begun } = useStore(live.answer.store, (state) => state)
  const asked = questionOf(/** @type {any} */ ({ user_text: null, detail: { input: live.messages } }))
  return html`<article class="turn live" aria-label="The turn that is being answered">
    ${asked.map(({ role, parts }) => html`<${Question} role=${role} parts=${parts} />`)}
    ${begun ? html`<${Answer} parts=${parts} isLive />` : html`<p class="waiting" role="status">${model ? `Waiting for ${model}` : 'Waiting'}<span class="dots" aria-hidden="true"></span></p>`}
  </article>`
}
