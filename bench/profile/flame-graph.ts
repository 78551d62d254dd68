import type { Frame } from './cpu-profile.ts'

const WIDTH = 1_400
const ROW = 16
/** Narrower than that, in pixels, nothing is drawn. */
const LEAST = 0.4
/** Pixels of a character. */
const CHARACTER = 6.2

/** Ours, libraries', Node's, and V8's own. */
const COLOURS = { ours: '#fb923c', library: '#7dd3fc', node: '#a7f3d0', engine: '#d4d4d8' }

function colourOf({ name, place }: Frame): string {
  if (place.startsWith('~')) return COLOURS.library
  if (place.startsWith('node:')) return COLOURS.node
  return place === '' || name.startsWith('(') ? COLOURS.engine : COLOURS.ours
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Calls from top to bottom, each as wide as its share of the time; a title tells more of each. */
export function flameGraph(root: Frame, title: string): string {
  const busy = { ...root, children: root.children.filter(({ name }) => name !== '(idle)') }
  const allUs = busy.children.reduce((sum, { totalUs }) => sum + totalUs, 0)
  const scale = WIDTH / allUs
  const parts: string[] = []
  let deepest = 0

  function draw(frame: Frame, x: number, depth: number): void {
    const width = frame.totalUs * scale
    if (width < LEAST) return
    deepest = Math.max(deepest, depth)
    const y = 30 + depth * ROW
    const share = (us: number) => `${((us / allUs) * 100).toFixed(1)} %`
    const told = `${frame.name} ${frame.place}: ${share(frame.totalUs)}, itself ${share(frame.selfUs)}`
    const label = frame.name.slice(0, Math.floor((width - 4) / CHARACTER))
    parts.push(
      `<g><title>${escaped(told)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colourOf(frame)}"/>${
        label.length > 2 ? `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escaped(label)}</text>` : ''
      }</g>`
    )
    let at = x
    for (const child of frame.children.toSorted((a, b) => b.totalUs - a.totalUs)) {
      draw(child, at, depth + 1)
      at += child.totalUs * scale
    }
  }

  let x = 0
  for (const child of busy.children.toSorted((a, b) => b.totalUs - a.totalUs)) {
    draw(child, x, 0)
    x += child.totalUs * scale
  }
  const height = 30 + (deepest + 1) * ROW + 8
  const legend = Object.entries(COLOURS)
    .map(([what, colour], at) => `<tspan x="${WIDTH - 360 + at * 90}" fill="${colour}">■ ${what}</tspan>`)
    .join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, monospace" font-size="10">
<title>${escaped(title)}</title>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="4" y="18" font-size="13">${escaped(title)}</text>
<text y="18">${legend}</text>
${parts.join('\n')}
</svg>
`
}
