import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Machine } from '../machine/describe.ts'
import { SCENARIOS } from '../scenarios/index.ts'
import type { Sample } from '../scenarios/scenario.ts'
import { plot } from './plot.ts'
import { goalRows, markdownTable, scenarioRows } from './tables.ts'

export interface Results {
  date: string
  minutes: number
  rounds: number
  quick: boolean
  machine: Machine
  notes: string[]
  samples: Sample[]
}

const ROOT = path.join(import.meta.dirname, '../..')
const PAGE = path.join(ROOT, 'docs/performance.md')
/** Where the page finds its plot. */
const PLOT = path.join(ROOT, 'bench/plot.svg')
const BEGIN = '<!-- results: written by npm run bench -- --write -->'
const END = '<!-- end of results -->'

/** The measured part of the page. */
export function resultsText({ machine, samples, notes, ...run }: Results): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const measured = SCENARIOS.filter(({ id }) => samples.some(({ scenario }) => scenario === id))
  const parts = [
    `${run.date}, ${run.rounds} rounds in ${run.minutes} minutes${run.quick ? ', **quick: not to be believed**' : ''}. ${machine.cpu}, ${machine.memory}, ${machine.system}; ${machine.pinning}. ${versions.join(', ')}.`,
    '![Cost of each target as a multiple of the pipe](../bench/plot.svg)',
    '### Goals',
    markdownTable(goalRows(samples)),
    ...measured.flatMap((scenario) => [
      `### ${scenario.id}: ${scenario.title}`,
      scenario.about,
      markdownTable(scenarioRows(scenario, samples))
    ]),
    ...(notes.length > 0 ? ['### Notes', notes.map((note) => `- ${note}`).join('\n')] : [])
  ]
  return parts.join('\n\n')
}

/** Puts the results between the page's marks; what stands around them stays. */
export function writePage(results: Results): void {
  const page = readFileSync(PAGE, 'utf8')
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`${PAGE} has no marks for the results`)
  const text = `${page.slice(0, begin)}${BEGIN}\n\n${resultsText(results)}\n\n${page.slice(end)}`
  writeFileSync(PAGE, text)
  writeFileSync(PLOT, plot(results.samples))
}
