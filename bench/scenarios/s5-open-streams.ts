import { setTimeout as sleep } from 'node:timers/promises'
import { startLab } from '../lab.ts'
import { removeFolder, temporaryFolder } from '../machine/cleanup.ts'
import { residentKb, watchCpu } from '../machine/cpu.ts'
import { CROWD_TARGETS } from '../targets/index.ts'
import { passThrough } from '../targets/pass-through.ts'
import type { Target } from '../targets/target.ts'
import { streamAsk } from './requests.ts'
import { type RunContext, rotated, type Sample, type Scenario } from './scenario.ts'

const SETTLE_MS = 2_000
const WATCH_MS = 3_000
/** One event a second: the streams are all but idle. */
const MODE = { answer: 'stream', deltas: 300, pace: 1_000 } as const

function openStreams(id: string, count: number): Scenario {
  const targets = ({ peers }: RunContext) =>
    [...CROWD_TARGETS, passThrough, ...peers].filter(({ name }) => name !== 'direct')
  // Memory is the same every time; two rounds tell.
  const rounds = (context: RunContext) => Math.min(context.rounds, 2)
  return {
    id,
    title: `${count.toLocaleString('en-US')} open streams, all but idle`,
    about:
      'A fresh process each: resident memory before and with all of them open, one event a second on each.',
    columns: [
      { figure: 'idleMb', title: 'idle MB' },
      { figure: 'openMb', title: 'open MB' },
      { figure: 'kbPerStream', title: 'KB per stream' },
      { figure: 'delayP99', title: 'event-loop delay p99 ms' },
      { figure: 'errors', title: 'errors' }
    ],
    ratio: { figure: 'kbPerStream', to: 'pipe' },
    steps: (context) => rounds(context) * targets(context).length,

    async run(context) {
      const samples: Sample[] = []
      const streams = context.quick ? Math.round(count / 4) : count
      for (let round = 0; round < rounds(context); round += 1) {
        for (const target of rotated(targets(context), round)) {
          context.step(`${id} ${target.name}, round ${round + 1}`)
          const reason = target.missing?.() ?? null
          if (reason !== null) context.note(`${target.name} is left out: ${reason}.`)
          else samples.push({ scenario: id, target: target.name, round, ...(await open(target, streams)) })
        }
      }
      return samples
    }
  }
}

async function open(target: Target, streams: number) {
  const lab = await startLab()
  const folder = temporaryFolder()
  await lab.answer(MODE)
  const running = await target.start({ upstreamUrl: lab.upstreamUrl, folder })
  try {
    const pid = running.pid ?? process.pid
    await sleep(SETTLE_MS)
    const idle = residentKb(pid)
    const ask = running.adapt?.(streamAsk(300)) ?? streamAsk(300)
    const spec = {
      ...ask,
      url: running.url,
      connections: streams,
      rampMs: streams,
      stamped: false,
      fresh: false
    }
    await lab.open(spec)
    const held = await lab.hold()
    await sleep(SETTLE_MS)
    await running.ask?.({ ask: 'delay' })
    const stopWatch = watchCpu(pid)
    await sleep(WATCH_MS)
    const { othersCores } = stopWatch()
    const delay = await running.ask?.({ ask: 'delay' })
    const full = residentKb(pid)
    await lab.close()
    const figures = {
      idleMb: idle / 1_024,
      openMb: full / 1_024,
      kbPerStream: (full - idle) / streams,
      delayP99: delay?.delayMs?.p99 ?? Number.NaN,
      errors: held.errors
    }
    return { figures, othersCores, error: held.firstError }
  } finally {
    await running.stop()
    await lab.stop()
    removeFolder(folder)
  }
}

export const openStreams2000 = openStreams('S5a', 2_000)
export const openStreams5000 = openStreams('S5b', 5_000)
