import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { cleanUpAtExit } from './machine/cleanup.ts'
import { describeMachine } from './machine/describe.ts'
import { readOptions, USAGE } from './options.ts'
import { fetchPeers, installedPeers } from './peers.ts'
import { type Results, writePage } from './report/page.ts'
import { plot } from './report/plot.ts'
import { createProgress } from './report/progress.ts'
import { goalRows, scenarioRows, textTable } from './report/tables.ts'
import { chosenScenarios, SCENARIOS } from './scenarios/index.ts'
import type { Sample } from './scenarios/scenario.ts'

const RESULTS = path.join(import.meta.dirname, 'results')
const print = (text: string) => void process.stdout.write(text)

cleanUpAtExit()
const options = readOptions(process.argv.slice(2))
if (options.help) print(USAGE)
else if (options.list) print(textTable(SCENARIOS.map(({ id, title }) => [id.padEnd(4), title.padEnd(70)])))
else if (options.fetchPeers) fetchPeers()
else await bench()
process.exit()

async function bench(): Promise<void> {
  const scenarios = chosenScenarios(options.scenarios)
  const notes = new Set<string>()
  const { rounds, quick } = options
  const peers = options.peers ? installedPeers() : []
  const context = {
    rounds,
    quick,
    peers,
    step: (_label: string) => {},
    note: (text: string) => void notes.add(text)
  }
  const startedAt = performance.now()
  const progress = createProgress(
    scenarios.reduce((sum, scenario) => sum + scenario.steps(context), 0),
    process.stderr
  )
  context.step = progress.step
  const date = new Date().toISOString().slice(0, 16)
  const machine = describeMachine()
  const samples: Sample[] = []
  const results = (): Results => {
    const minutes = Math.round((performance.now() - startedAt) / 6_000) / 10
    return { date, minutes, rounds, quick, machine, notes: [...notes], samples }
  }
  for (const scenario of scenarios) {
    try {
      samples.push(...(await scenario.run(context)))
    } catch (err) {
      notes.add(`${scenario.id} broke off: ${(err as Error).message.slice(0, 300)}`)
    }
    for (const { target, error } of samples.filter((sample) => sample.scenario === scenario.id))
      if (error !== null) notes.add(`${scenario.id}, ${target}: ${error.slice(0, 200)}`)
    save(results()) // of a run that is ended early, something is left
  }
  progress.stop()
  report(results())
}

/** Returns the name of the files, without their ends. */
function save(results: Results): string {
  mkdirSync(RESULTS, { recursive: true })
  const name = path.join(RESULTS, results.date.replaceAll(':', '-'))
  writeFileSync(`${name}.json`, JSON.stringify(results, null, 1))
  writeFileSync(`${name}.svg`, plot(results.samples))
  return name
}

function report(results: Results): void {
  const { samples, notes } = results
  for (const scenario of SCENARIOS) {
    const rows = scenarioRows(scenario, samples)
    if (rows.length > 1) print(`\n${scenario.id}: ${scenario.title}\n${textTable(rows)}`)
  }
  print(`\nGoals\n${textTable(goalRows(samples))}`)
  for (const note of notes) print(`Note: ${note}\n`)
  const name = save(results)
  print(`\n${name}.json and .svg, in ${results.minutes} minutes\n`)
  if (options.write) writePage(results)
}
