import { html } from '../../preact.js'

const WIDTH = 640
const HEIGHT = 160
const BASE = 20
const WIDEST_BAR = 48

/**
 * Bars of one or more colours on top of each other, with the same figures as a table for whoever does not see them.
 * @param {{
 *   title: string, unit: string,
 *   series: { name: string, tone: string }[],
 *   bars: { label: string, values: number[] }[]
 * }} props `values` are in the order of the series.
 */
export function Bars({ title, unit, series, bars }) {
  const totals = bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  const most = Math.max(1, ...totals)
  const step = WIDTH / Math.max(1, bars.length)
  const thick = Math.min(step * 0.72, WIDEST_BAR)
  const every = Math.ceil(bars.length / 6) // labels next to each other would run into one another
  const scale = (HEIGHT - 2 * BASE) / most
  return html`<figure class="plot">
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`${title}; the figures are in the table below`}>
      <line x1="0" x2=${WIDTH} y1=${HEIGHT - BASE} y2=${HEIGHT - BASE} class="axis" />
      <text x="0" y="12" class="tick">${most} ${unit}</text>
      ${bars.map(({ label, values }, at) => {
        let top = HEIGHT - BASE
        return html`<g key=${label}>
          <title>${`${label}: ${totals[at]}`}</title>
          <rect x=${at * step} y=${BASE} width=${step} height=${HEIGHT - 2 * BASE} class="hover" />
          ${values.map((value, index) => {
            top -= value * scale
            return (
              value > 0 &&
              html`<rect x=${at * step + (step - thick) / 2} y=${top} width=${thick} height=${value * scale} class=${series[index]?.tone} />`
            )
          })}
          ${(bars.length - 1 - at) % every === 0 && html`<text x=${(at + 1) * step} y=${HEIGHT - 5} text-anchor="end" class="tick">${label}</text>`}
        </g>`
      })}
    </svg>
    ${series.length > 1 && html`<p class="legend">${series.map(({ name, tone }) => html`<span key=${name}><i class=${tone}></i>${name}</span>`)}</p>`}
    <details><summary>As a table</summary><${Table} title=${title} series=${series} bars=${bars} /></details>
  </figure>`
}

/**
 * Lengths side by side, each with its name and its figure.
 * @param {{ title: string, rows: { label: string, value: number, tone?: string }[] }} props
 */
export function Lengths({ title, rows }) {
  const most = Math.max(...rows.map(({ value }) => value), 0) || 1
  return html`<dl class="lengths" aria-label=${title}>
    ${rows.map(
      ({ label, value, tone = 'tone-main' }) => html`<div key=${label}>
        <dt>${label}</dt><dd><svg aria-hidden="true" height="12"><rect height="12" rx="3" width=${`${(value / most) * 100}%`} class=${tone} /></svg><b>${value}</b></dd>
      </div>`
    )}
  </dl>`
}

/** @param {{ title: string, series: { name: string }[], bars: { label: string, values: number[] }[] }} props */
function Table({ title, series, bars }) {
  return html`<table>
    <caption>${title}</caption>
    <thead><tr><th scope="col"></th>${series.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${bars.map(({ label, values }) => html`<tr><th scope="row">${label}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`)}</tbody>
  </table>`
}
