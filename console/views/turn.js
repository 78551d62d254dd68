import { Component, html, useState } from '../preact.js'
import { answersOf, copiedText, messagesOf, questionOf } from '../text/content.js'
import { CopyButton } from './copy-button.js'
import { EditQuestion } from './edit-question.js'
import { endingOf } from './endings.js'
import { keepFocus } from './focus.js'
import { IconButton } from './icons.js'
import { Parts } from './parts.js'

/**
 * @typedef {{
 *   turn: import('../text/content.js').Turn,
 *   versions: string,
 *   isBusy: boolean,
 *   ask: (messages: any[], parentSeq: number) => void,
 *   view: (seq: number | null) => void
 * }} Props `versions`: the seqs of the turn's versions, with commas between.
 */

/** There may be thousands: one that says the same is not drawn again. */
export class TurnView extends Component {
  /** @param {Props} next */
  shouldComponentUpdate(next) {
    const { turn, versions, isBusy } = /** @type {any} */ (this).props
    return next.turn !== turn || next.versions !== versions || next.isBusy !== isBusy
  }

  /** @param {Props} props */
  render(props) {
    return html`<${Turn} ...${props} />`
  }
}

/** @param {Props} props */
function Turn({ turn, versions, isBusy, ask, view }) {
  const [editing, setEditing] = useState(false)
  const messages = messagesOf(turn)
  const asked = questionOf(turn)
  const answers = answersOf(turn)
  const newest = messages?.at(-1)
  const canEdit = newest?.role === 'user' && typeof newest.content === 'string'
  const ending = endingOf(turn)

  const giveUpEditing = () => {
    setEditing(false)
    keepFocus(() => document.querySelector(`[data-seq="${turn.seq}"] [aria-label="Edit the question"]`))
  }
  /** @param {string} text */
  const sendEdited = (text) => {
    setEditing(false)
    ask([...(messages ?? []).slice(0, -1), { ...newest, content: text }], turn.parent_seq)
  }

  return html`<article class=${`turn ${turn.superseded ? 'replaced' : ''}`} aria-label=${`Turn ${turn.seq}`} data-seq=${turn.seq}>
    ${asked.map(
      ({ role, parts }, index) =>
        html`<${Question} role=${role} parts=${editing && index === asked.length - 1 ? [] : parts}>
          ${
            index === asked.length - 1 &&
            role === 'user' &&
            !editing &&
            html`<div class="actions">
              <${CopyButton} label="Copy the question" text=${() => copiedText(parts)} />
              ${canEdit && html`<${IconButton} icon="pencil" label="Edit the question" disabled=${isBusy} onClick=${() => setEditing(true)} />`}
            </div>`
          }
        <//>`
    )}
    ${editing && html`<${EditQuestion} text=${newest.content} send=${sendEdited} cancel=${giveUpEditing} />`}
    ${answers.map((parts, index) => html`<${Answer} parts=${parts} choice=${answers.length > 1 ? index + 1 : null} />`)}
    ${ending && html`<p class=${`ending ${turn.status}`}>${ending}</p>`}
    <div class="actions answer-actions">
      ${answers.length > 0 && html`<${CopyButton} label="Copy the answer" text=${() => answers.map(copiedText).join('\n\n')} />`}
      ${messages && turn.status !== 'in_progress' && html`<${IconButton} icon="again" label=${turn.status === 'failed' ? 'Try again' : 'Regenerate'} disabled=${isBusy} onClick=${() => ask(messages, turn.parent_seq)} />`}
      <${Versions} seq=${turn.seq} versions=${versions} view=${view} isBusy=${isBusy} />
      ${turn.model && turn.kind !== 'items' && html`<span class="model">${turn.model}</span>`}
    </div>
  </article>`
}

const ROLES = /** @type {Record<string, string>} */ ({
  user: 'You',
  assistant: 'Assistant',
  system: 'Instructions',
  developer: 'Instructions',
  tool: 'Tool'
})

/** @param {{ role: string, parts: import('../text/content.js').Part[], children?: unknown }} props */
export function Question({ role, parts, children }) {
  if (parts.length === 0) return null
  if (role === 'system' || role === 'developer') {
    return html`<details class="aside"><summary>Instructions</summary><${Parts} parts=${parts} plain /></details>`
  }
  const isTold = role === 'user'
  return html`<section class=${isTold ? 'question' : 'told'}>
    <h2 class="who">${ROLES[role] ?? role}</h2>
    <div class=${isTold ? 'bubble' : ''}><${Parts} parts=${parts} plain=${isTold} /></div>
    ${children}
  </section>`
}

/** @param {{ parts: import('../text/content.js').Part[], choice?: number | null, isLive?: boolean }} props */
export function Answer({ parts, choice = null, isLive = false }) {
  return html`<section class="answer" aria-busy=${isLive ? 'true' : undefined}>
    <h2 class="who">${choice === null ? 'Assistant' : `Assistant, choice ${choice}`}</h2>
    <${Parts} parts=${parts} isLive=${isLive} />
  </section>`
}

/** @param {{ seq: number, versions: string, view: Props['view'], isBusy: boolean }} props */
function Versions({ seq, versions, view, isBusy }) {
  const seqs = versions.split(',').map(Number)
  if (seqs.length < 2) return null
  const at = seqs.indexOf(seq)
  /** @param {number} index */
  const show = (index) => {
    view(seqs[index] ?? null)
    keepFocus(() => document.querySelector(`[data-seq="${seqs[index]}"] .versions button:not(:disabled)`))
  }
  return html`<span class="versions" role="group" aria-label="Versions">
    <${IconButton} icon="left" label="Older version" disabled=${isBusy || at === 0} onClick=${() => show(at - 1)} />
    <span>${at + 1}/${seqs.length}</span>
    <${IconButton} icon="right" label="Newer version" disabled=${isBusy || at === seqs.length - 1} onClick=${() => show(at + 1)} />
  </span>`
}
