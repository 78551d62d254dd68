import DOMPurify from '../../node_modules/dompurify/dist/purify.es.mjs'
import { Marked } from '../../node_modules/marked/lib/marked.esm.js'

/** What Markdown can make, and nothing else: no forms, no styles, no ids, nothing that loads from elsewhere. */
const ALLOWED = {
  ALLOWED_TAGS:
    'p br hr h1 h2 h3 h4 h5 h6 strong em del code pre blockquote ul ol li table thead tbody tr th td a img span'.split(
      ' '
    ),
  ALLOWED_ATTR: ['href', 'title', 'src', 'alt', 'align', 'start', 'class', 'target', 'rel', 'tabindex'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_TRUSTED_TYPE: true
}
const LINK = /^(https?:|mailto:)/i
const IMAGE = /^data:image\/(png|jpeg|gif|webp|avif);base64,/i

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    /** HTML in an answer is shown as what was written. */
    html: ({ text }) => escapeHtml(text),
    /** A picture of elsewhere would tell its owner who reads this: it is a link. */
    image({ href, text }) {
      if (IMAGE.test(href)) return `<img src="${escapeHtml(href)}" alt="${escapeHtml(text)}">`
      return LINK.test(href)
        ? `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`
        : escapeHtml(text)
    },
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    // Whoever uses a keyboard must be able to scroll it.
    code: ({ text, lang }) =>
      `<pre tabindex="0"><code class="${escapeHtml(languageOf(lang))}">${escapeHtml(text)}\n</code></pre>`
  }
})

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName === 'A') {
    if (!LINK.test(node.getAttribute('href') ?? '')) node.removeAttribute('href')
    node.setAttribute('target', '_blank')
    node.setAttribute('rel', 'noopener noreferrer nofollow')
  }
  if (node.tagName === 'IMG' && !IMAGE.test(node.getAttribute('src') ?? '')) node.removeAttribute('src')
  if (node.tagName !== 'CODE') node.removeAttribute('class')
})

/**
 * The blocks of a Markdown text, each as HTML that is safe to show. What `known` has is not made again, so that a text
 * that grows costs its last block alone.
 * @param {string} text
 * @param {Map<string, string>} known By the block's source; what is new is added.
 * @returns {{ key: string, html: string, code: string | null }[]} `code` is what a block of code says.
 */
export function toBlocks(text, known) {
  const tokens = marked.lexer(text)
  const { links } = tokens
  return tokens
    .filter(({ type }) => type !== 'space' && type !== 'def')
    .map((token, index) => {
      const html = known.get(token.raw) ?? sanitized(Object.assign([token], { links }))
      known.set(token.raw, html)
      return { key: `${index}`, html, code: token.type === 'code' ? token.text : null }
    })
}

/** @param {any} tokens @returns {string} */
function sanitized(tokens) {
  const html = /** @type {string} */ (marked.parser(tokens))
  return /** @type {any} */ (DOMPurify.sanitize(html, ALLOWED))
}

/** @param {string | undefined} lang */
function languageOf(lang) {
  const [name = ''] = /^[\w+#.-]{0,24}/.exec(lang ?? '') ?? []
  return name === '' ? '' : `language-${name}`
}

/** @param {string} text */
function escapeHtml(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
