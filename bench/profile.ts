import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startLab } from './lab.ts'
import { cleanUpAtExit, temporaryFolder } from './machine/cleanup.ts'
import { type CpuProfile, frameTree, hottest } from './profile/cpu-profile.ts'
import { flameGraph } from './profile/flame-graph.ts'
import { textTable } from './report/tables.ts'
import { PROXY_LOADS } from './scenarios/proxy-scenario.ts'
import './scenarios/index.ts'
import { TARGETS } from './targets/index.ts'

// Where a target's main thread spends its time under the load of one scenario.
const RESULTS = path.join(import.meta.dirname, 'results')
const WARM_MS = 3_000
const SHOWN = 40

cleanUpAtExit()
const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'S1' },
    target: { type: 'string', default: 'turnkeeper' },
    seconds: { type: 'string', default: '5' }
  }
})
await profile(values.scenario, values.target, Number(values.seconds) * 1_000)
process.exit()

async function profile(scenario: string, targetName: string, durationMs: number): Promise<void> {
  const id = [...PROXY_LOADS.keys()].find((known) => known.startsWith(scenario)) ?? scenario
  const load = PROXY_LOADS.get(id)
  const target = TARGETS.find(({ name }) => name === targetName)
  if (!load || !target) throw new Error(`no scenario ${scenario} with a proxy, or no target ${targetName}`)
  const lab = await startLab()
  const running = await target.start({ upstreamUrl: lab.upstreamUrl, folder: temporaryFolder() })
  if (!running.ask) throw new Error(`${targetName} is no program of Node's`)
  await lab.answer(load.mode)
  const { connections, rampMs = 0, stamped = false, fresh = false } = load
  const headersOf = load.inConversations ? await running.conversations?.(connections) : undefined
  const ask = running.adapt?.(load.ask) ?? load.ask
  const spec = { ...ask, url: running.url, connections, rampMs, stamped, fresh }
  await lab.open({ ...spec, ...(headersOf && { headersOf }) })
  process.stderr.write(`${id} ${targetName}: warms up, then ${durationMs / 1_000} s of profile\n`)
  await lab.run(WARM_MS)
  await running.ask({ ask: 'profile' })
  const result = await lab.run(durationMs)
  const { profile: found } = await running.ask({ ask: 'profiled' })
  await running.stop()
  await lab.stop()
  write(`profile-${id}`, `${id}, ${targetName}: ${result.count} answers`, found as CpuProfile, result.count)
}

function write(name: string, title: string, found: CpuProfile, count: number): void {
  mkdirSync(RESULTS, { recursive: true })
  const file = path.join(RESULTS, name)
  writeFileSync(`${file}.cpuprofile`, JSON.stringify(found))
  const tree = frameTree(found)
  writeFileSync(`${file}.svg`, flameGraph(tree, title))
  const rows = hottest(tree)
    // Neither waiting nor the profiler itself.
    .filter(({ name: function_, place }) => function_ !== '(idle)' && !place.startsWith('node:inspector'))
    .slice(0, SHOWN)
    .map(({ name: function_, place, selfUs, totalUs }) => [
      `${function_} ${place}`,
      (selfUs / count).toFixed(1),
      (totalUs / count).toFixed(1)
    ])
  process.stdout.write(`${title}\n\n${textTable([['function', 'self µs each', 'with calls'], ...rows])}\n`)
  process.stdout.write(`${file}.cpuprofile and .svg\n`)
}
