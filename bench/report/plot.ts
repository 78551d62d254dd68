import { SCENARIOS } from '../scenarios/index.ts'
import type { Sample } from '../scenarios/scenario.ts'
import { short } from '../stats.ts'
import { perRound } from './judge.ts'

const WIDTH = 760
const LABEL = 190
const ROW = 18
const BAR = 11
/** Bars end here; what is longer is cut and says so by its number. */
const MOST = 4

interface Bar {
  target: string
  median: number
  low: number
  high: number
}

function bars(samples: Sample[], figure: string, to: string): Bar[] {
  const targets = [...new Set(samples.map(({ target }) => target))]
  return targets
    .map((target) => ({
      target,
      ...perRound(
        samples,
        (round) => (round(target)?.[figure] ?? Number.NaN) / (round(to)?.[figure] ?? Number.NaN)
      )
    }))
    .filter(({ median }) => Number.isFinite(median))
    .sort((a, b) => a.median - b.median)
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const at = (value: number) => LABEL + (Math.min(value, MOST) / MOST) * (WIDTH - LABEL - 60)

function drawBar({ target, median, low, high }: Bar, y: number): string {
  const ours = target.startsWith('turnkeeper')
  const middle = y + BAR / 2
  return `<text x="${LABEL - 8}" y="${y + BAR - 1}" text-anchor="end"${ours ? ' font-weight="bold"' : ''}>${escaped(target)}</text>
<rect x="${LABEL}" y="${y}" width="${(at(median) - LABEL).toFixed(1)}" height="${BAR}" fill="${ours ? '#2563eb' : '#94a3b8'}"/>
<path d="M${at(low).toFixed(1)} ${middle}H${at(high).toFixed(1)}" stroke="#111827"/>
<text x="${(at(Math.max(median, high)) + 6).toFixed(1)}" y="${y + BAR - 1}">${short(median)}</text>`
}

/** Each proxy scenario's cost as a multiple of the pipe's: median, and a line from the lowest round to the highest. */
export function plot(all: Sample[]): string {
  const parts: string[] = []
  let y = 14
  for (const { id, title, ratio } of SCENARIOS) {
    if (!ratio) continue
    const drawn = bars(
      all.filter((sample) => sample.scenario === id),
      ratio.figure,
      ratio.to
    )
    if (drawn.length === 0) continue
    const what = ratio.figure === 'cpuUs' ? 'CPU' : 'memory'
    parts.push(
      `<text x="0" y="${y}" font-weight="bold">${id}: ${escaped(title)} – ${what} × ${ratio.to}</text>`
    )
    y += 8
    const top = y
    for (const bar of drawn) {
      parts.push(drawBar(bar, y + 3))
      y += ROW
    }
    parts.push(`<path d="M${at(1)} ${top}V${y}" stroke="#dc2626" stroke-dasharray="3 3"/>`)
    y += 26
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="11">
<title>Cost of each target as a multiple of the pipe's</title>
<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>
<g fill="#111827">
${parts.join('\n')}
</g>
</svg>
`
}
