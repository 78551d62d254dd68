import type { Page } from 'playwright-core'
import type { Seen } from './browser.ts'

/** All that the page may consist of, whatever it shows. */
const TAGS =
  'html head meta title link script body div a nav header footer main button svg path input h1 h2 h3 h4 h5 h6 p br hr ul ol li form textarea select option article section span details summary pre code blockquote strong em del table thead tbody tr th td caption img dl dt dd kbd dialog b i figure line text rect g'
const ATTRIBUTES =
  'alt align aria-busy aria-current aria-hidden aria-label aria-labelledby aria-live aria-pressed autofocus autocomplete charset class content d data-menu data-seq data-theme disabled for height hidden href id lang maxlength name open placeholder rel role rows rx scope src start tabindex target text-anchor title type value viewBox width x x1 x2 y y1 y2'
const IDS = 'app content message search pinned others credential'

/** What there is in the page that must not be there: elements, attributes, ids and addresses. */
export function trespassersIn(page: Page): Promise<string[]> {
  return page.evaluate(
    ([tags, attributes, ids]) => {
      const [knownTags, knownAttributes, knownIds] = [tags, attributes, ids].map(
        (list) => new Set(list?.split(' '))
      )
      const found: string[] = []
      if (document.scripts.length !== 1) found.push(`${document.scripts.length} scripts`)
      if (Reflect.has(globalThis, 'pwned')) found.push('pwned')
      for (const element of document.querySelectorAll('*')) {
        if (!knownTags?.has(element.localName)) found.push(`<${element.localName}>`)
        for (const { name, value } of element.attributes) {
          if (!knownAttributes?.has(name)) found.push(`${element.localName} ${name}=${value}`)
          if (name === 'id' && !knownIds?.has(value)) found.push(`id=${value}`)
          const isOwn = element.closest('.turn') === null
          if (name === 'href' && !isOwn && !/^(https?:|mailto:)/.test(value)) found.push(`href=${value}`)
          if (name === 'href' && element.localName === 'a' && /^\W*(javascript|data|vbscript)/i.test(value))
            found.push(`href=${value}`)
          if (name === 'src' && !isOwn && !value.startsWith('data:image/')) found.push(`src=${value}`)
        }
      }
      return found
    },
    [TAGS, ATTRIBUTES, IDS]
  )
}

/** What the page did that it must not do. */
export function misdeedsIn({ requests, dialogs, errors }: Seen, url: string): string[] {
  const { origin } = new URL(url)
  const strangers = requests.filter((asked) => !asked.startsWith('data:') && new URL(asked).origin !== origin)
  return [...strangers, ...dialogs, ...errors.filter((error) => !isBrokenImage(error))]
}

/** A picture that came as data and is none. */
function isBrokenImage(error: string): boolean {
  return error.includes('net::ERR_INVALID_URL') && error.startsWith('Failed to load resource')
}
