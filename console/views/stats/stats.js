import { html, useEffect, useState } from '../../preact.js'
import { client, isRefused } from '../../state/api.js'
import { readSamples } from '../../text/prometheus.js'
import { IconButton } from '../icons.js'
import { ProcessFigures } from './process-figures.js'
import { TurnFigures } from './turn-figures.js'

const READ_EVERY_MS = 10_000
const DAYS = 30

/** The service's own figures, read again as long as they are looked at. @param {{ openMenu: () => void }} props */
export function Stats({ openMenu }) {
  const [stats, setStats] = useState(/** @type {any} */ (null))
  const [samples, setSamples] = useState(/** @type {any} */ (null))
  const [failed, setFailed] = useState(false)

  useEffect(() => {
    document.title = 'Stats · Turnkeeper'
    const read = async () => {
      if (document.hidden) return
      // Figures of the process are the operator's, and may be closed to us.
      const [counted, measured] = await Promise.allSettled([
        client.stats.get({ days: DAYS }),
        client.metrics()
      ])
      if (counted.status === 'fulfilled') setStats(counted.value)
      else if (!isRefused(counted.reason)) setFailed(true)
      setSamples(measured.status === 'fulfilled' ? readSamples(measured.value) : [])
    }
    read()
    const timer = setInterval(read, READ_EVERY_MS)
    return () => clearInterval(timer)
  }, [])

  return html`
    <header class="bar">
      <${IconButton} icon="menu" label="Conversations" extra="only-narrow" onClick=${openMenu} />
      <h1>Stats</h1>
    </header>
    <div class="scroller" tabindex="0" role="region" aria-label="Figures"><div class="stats">
      ${failed && html`<p role="alert">The figures could not be read.</p>`}
      ${stats ? html`<${TurnFigures} days=${stats.days} />` : html`<p role="status">Loading…</p>`}
      ${samples && html`<${ProcessFigures} samples=${samples} />`}
    </div></div>`
}
