import type { Sample, Scenario } from '../scenarios/scenario.ts'
import { short, spread } from '../stats.ts'
import { goalText, isDisturbed, type Judged, judge, perRound, usable } from './judge.ts'

export type Rows = string[][]

/** A row for each target: the medians of its figures, and how far the ratio went apart. */
export function scenarioRows(scenario: Scenario, all: Sample[]): Rows {
  const samples = all.filter((sample) => sample.scenario === scenario.id)
  const { columns, ratio } = scenario
  const head = ['target', ...columns.map(({ title }) => title), ...(ratio ? [`× ${ratio.to}`, 'spread'] : [])]
  const targets = [...new Set(samples.map(({ target }) => target))]
  const rows = targets.map((target) => {
    const own = samples.filter((sample) => sample.target === target)
    const figures = columns.map(({ figure }) =>
      short(spread(usable(own).map((sample) => sample.figures[figure] ?? Number.NaN)).median)
    )
    const disturbed = own.filter(isDisturbed).length
    const name = disturbed > 0 ? `${target} (${disturbed} of ${own.length} disturbed)` : target
    if (!ratio) return [name, ...figures]
    const { figure, to } = ratio
    const multiple = perRound(
      samples,
      (round) => (round(target)?.[figure] ?? Number.NaN) / (round(to)?.[figure] ?? Number.NaN)
    )
    return [name, ...figures, short(multiple.median), spreadText(multiple)]
  })
  return [head, ...rows]
}

export const spreadText = ({ low, high }: { low: number; high: number }): string =>
  Number.isFinite(low) ? `${short(low)}–${short(high)}` : '–'

export function goalRows(samples: Sample[]): Rows {
  const head = ['scenario', 'figure', 'goal', 'measured', 'spread', 'rounds', 'met', 'sketch', 'others']
  return [head, ...judge(samples).map(toRow)]
}

function toRow({ goal, measured, met }: Judged): string[] {
  const { scenario, figure, sketch, best } = goal
  const found = [short(measured.median), spreadText(measured), String(measured.count), met ? 'yes' : '**no**']
  return [scenario, figure, goalText(goal), ...found, sketch, best]
}

/** For a terminal: columns of one width. */
export function textTable(rows: Rows): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)))
  const line = (row: string[]) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
  return `${rows.map(line).join('\n')}\n`
}

export function markdownTable([head = [], ...rows]: Rows): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}
