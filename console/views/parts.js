import { html, useRef } from '../preact.js'
import { toBlocks } from '../text/markdown.js'
import { CopyButton } from './copy-button.js'
import { Icon } from './icons.js'

/** @typedef {import('../text/content.js').Part} Part */

/**
 * What was said, part by part. `plain` text is shown as it was written, other text as Markdown.
 * @param {{ parts: Part[], plain?: boolean, isLive?: boolean }} props
 */
export function Parts({ parts, plain = false, isLive = false }) {
  return parts.map(
    (part, index) =>
      html`<${PartView} key=${`${part.kind}-${index}`} part=${part} plain=${plain} isLive=${isLive && index === parts.length - 1} />`
  )
}

/** @param {{ part: Part, plain: boolean, isLive: boolean }} props */
function PartView({ part, plain, isLive }) {
  switch (part.kind) {
    case 'text':
      return plain
        ? html`<p class="plain">${part.text}</p>`
        : html`<${Markdown} text=${part.text} isLive=${isLive} />`
    case 'reasoning':
      return html`<details class="aside" open=${isLive}><summary>${isLive ? 'Thinking…' : 'Thoughts'}</summary><p class="plain">${part.text}</p></details>`
    case 'refusal':
      return html`<p class="refusal"><strong>Refused.</strong> ${part.text}</p>`
    case 'image':
      return html`<${Picture} url=${part.url} />`
    case 'file':
      return html`<p class="file">${part.name}</p>`
    case 'call':
      return html`<${Tool} title=${`Called ${part.name || 'a tool'}`} text=${pretty(part.input)} />`
    case 'result':
      return html`<${Tool} title="Result" text=${pretty(part.output)} />`
  }
}

/** @param {{ text: string, isLive: boolean }} props */
function Markdown({ text, isLive }) {
  const known = useRef(/** @type {Map<string, any>} */ (new Map()))
  const wasLive = useRef(isLive)
  // Where a link leads may be said at the end, so what was made of a beginning does not count for the whole.
  if (wasLive.current && !isLive) known.current = new Map()
  wasLive.current = isLive
  return html`<div class="markdown">
    ${toBlocks(text, known.current).map(({ key, html: made, code }) =>
      code === null
        ? html`<div key=${key} dangerouslySetInnerHTML=${{ __html: made }}></div>`
        : html`<div key=${key} class="code"><div dangerouslySetInnerHTML=${{ __html: made }}></div><${CopyButton} label="Copy the code" text=${() => code} /></div>`
    )}
  </div>`
}

/** A picture that came with the conversation; one of elsewhere is a link, for its owner would learn who reads this. @param {{ url: string }} props */
function Picture({ url }) {
  if (/^data:image\/(png|jpeg|gif|webp|avif);base64,/i.test(url))
    return html`<img class="picture" src=${url} alt="Attached" />`
  if (/^https?:/i.test(url))
    return html`<p class="file"><a href=${url} target="_blank" rel="noopener noreferrer nofollow">Image at ${new URL(url).host}</a></p>`
  return html`<p class="file">An image that cannot be shown</p>`
}

/** @param {{ title: string, text: string }} props */
function Tool({ title, text }) {
  return html`<details class="aside tool"><summary><${Icon} name="right" />${title}</summary><pre tabindex="0"><code>${text}</code></pre></details>`
}

/** JSON over several lines, anything else as it is. @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
