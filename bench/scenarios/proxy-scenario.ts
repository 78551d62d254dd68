import { type Lab, startLab } from '../lab.ts'
import type { Ask } from '../load/ask.ts'
import { removeFolder, temporaryFolder } from '../machine/cleanup.ts'
import { watchCpu } from '../machine/cpu.ts'
import type { RunningTarget, Target } from '../targets/target.ts'
import type { UpstreamMode } from '../upstream/modes.ts'
import { type Column, type RunContext, rotated, type Sample, type Scenario, undisturbed } from './scenario.ts'

export interface ProxyLoad {
  mode: UpstreamMode
  ask: Ask
  connections: number
  rampMs?: number
  /** How long it runs, and before each round unmeasured. */
  durationMs: number
  warmMs: number
  /** The same before the first round: V8 compiles what has run often, and a service runs for days. */
  firstWarmMs?: number
  stamped?: boolean
  fresh?: boolean
  /** Every connection goes on in a conversation of its own, where the target knows such. */
  inConversations?: boolean
}

export const CPU_COLUMN: Column = { figure: 'cpuUs', title: 'CPU µs each' }
const COLUMNS: Column[] = [
  { figure: 'perSecond', title: 'per second' },
  CPU_COLUMN,
  { figure: 'firstByteP50', title: 'first byte p50 ms' },
  { figure: 'firstByteP99', title: 'p99' }
]
export const TOKEN_COLUMNS: Column[] = [
  { figure: 'tokenP50', title: 'token delay p50 ms' },
  { figure: 'tokenP99', title: 'p99' }
]

type Definition = Pick<Scenario, 'id' | 'title' | 'about'> & {
  targets: Target[]
  /** Without peers, even where they are there. */
  alone?: boolean
  load: ProxyLoad
  columns?: Column[]
  /** Where a round takes long. */
  maxRounds?: number
}

/** The loads of all scenarios that are made here, by id. */
export const PROXY_LOADS = new Map<string, ProxyLoad>()

/** A scenario in which all targets are up at once and take turns. */
export function proxyScenario(definition: Definition): Scenario {
  const { targets, alone, load, columns = COLUMNS, maxRounds = 99, ...about } = definition
  const roundsOf = (context: RunContext) => Math.min(context.rounds, maxRounds)
  PROXY_LOADS.set(about.id, load)
  const all = ({ peers }: RunContext) => [...targets, ...(alone ? [] : peers)]
  return {
    ...about,
    columns: [...columns, { figure: 'errors', title: 'errors' }],
    ratio: { figure: 'cpuUs', to: 'pipe' },
    steps: (context) => roundsOf(context) * all(context).length,

    async run(context) {
      const lab = await startLab()
      const folder = temporaryFolder()
      const running = new Map<string, RunningTarget>()
      const samples: Sample[] = []
      try {
        for (const target of all(context)) await start(target, lab, running, context)
        await lab.answer(load.mode)
        for (let round = 0; round < roundsOf(context); round += 1) {
          for (const [name, target] of rotated([...running], round)) {
            context.step(`${about.id} ${name}, round ${round + 1}`)
            const measured = await undisturbed(() => measure(lab, target, load, context.quick, round))
            samples.push({ scenario: about.id, target: name, round, ...measured })
          }
        }
      } finally {
        for (const target of running.values()) await target.stop()
        await lab.stop()
        removeFolder(folder)
      }
      return samples
    }
  }
}

async function start(target: Target, lab: Lab, running: Map<string, RunningTarget>, { note }: RunContext) {
  const reason = target.missing?.() ?? null
  if (reason !== null) return note(`${target.name} is left out: ${reason}.`)
  const folder = temporaryFolder()
  try {
    running.set(
      target.name,
      await target.start({ upstreamUrl: lab.upstreamUrl, folder }).then((started) => ({
        ...started,
        stop: () => started.stop().finally(() => removeFolder(folder))
      }))
    )
  } catch (err) {
    note(`${target.name} is left out: ${(err as Error).message.slice(0, 200)}.`)
  }
}

/** Opens its connections, warms up, and measures one run of the load. */
export async function measure(
  lab: Lab,
  target: RunningTarget,
  load: ProxyLoad,
  quick: boolean,
  round: number
) {
  const { connections, rampMs = 0, stamped = false, fresh = false } = load
  const headersOf = load.inConversations ? await target.conversations?.(connections) : undefined
  const ask = target.adapt?.(load.ask) ?? load.ask
  const part = quick ? 0.4 : 1
  await lab.open({
    ...ask,
    url: target.url,
    connections,
    rampMs,
    stamped,
    fresh,
    ...(headersOf && { headersOf })
  })
  const warmMs = round === 0 && !quick ? (load.firstWarmMs ?? load.warmMs * 2) : load.warmMs
  if (warmMs > 0) await lab.run(warmMs * part)
  const stopWatch = watchCpu(target.pid)
  const result = await lab.run(load.durationMs * part)
  const { targetUs, othersCores } = stopWatch()
  await lab.close()
  const { count, errors, firstByteMs, tokenMs } = result
  const figures = {
    perSecond: (count / result.elapsedMs) * 1_000,
    cpuUs: target.pid === null ? Number.NaN : targetUs / count,
    firstByteP50: firstByteMs.p50,
    firstByteP99: firstByteMs.p99,
    ...(stamped && { tokenP50: tokenMs.p50, tokenP99: tokenMs.p99 }),
    errors
  }
  return { figures, othersCores, error: result.firstError }
}
