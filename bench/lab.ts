import path from 'node:path'
import type { LoadCommand, LoadReply, LoadResult, LoadSpec } from './load/ask.ts'
import { type Child, startChild } from './machine/child.ts'
import type { UpstreamMode } from './upstream/modes.ts'

const script = (name: string): string[] => [process.execPath, path.join(import.meta.dirname, name)]

/** The mock upstream and the load generator, which share a core. */
export interface Lab {
  upstreamUrl: string
  /** Tells the upstream how to answer from now on. */
  answer(mode: UpstreamMode): Promise<void>
  open(spec: LoadSpec): Promise<void>
  run(durationMs: number): Promise<LoadResult>
  hold(): Promise<LoadResult>
  close(): Promise<void>
  stop(): Promise<void>
}

const PATIENCE_MS = 180_000

export async function startLab(): Promise<Lab> {
  const upstream = startChild({ command: script('upstream.ts'), role: 'load' })
  const { url } = await upstream.message<{ url?: string }>((message) => message.url !== undefined)
  const load = startChild({ command: script('load.ts'), role: 'load' })
  await load.message<{ ready?: boolean }>((message) => message.ready === true)

  async function command(told: LoadCommand): Promise<LoadResult> {
    const reply = load.message<LoadReply>(({ done }) => done === told.do, PATIENCE_MS)
    load.send(told)
    return (await reply).result as LoadResult
  }

  return {
    upstreamUrl: url ?? '',
    answer: (mode) => acknowledged(upstream, mode),
    open: async (spec) => void (await command({ do: 'open', spec })),
    run: (durationMs) => command({ do: 'run', durationMs }),
    hold: () => command({ do: 'hold' }),
    close: async () => void (await command({ do: 'close' })),
    stop: async () => void (await Promise.all([upstream.stop(), load.stop()]))
  }
}

async function acknowledged(child: Child, message: object): Promise<void> {
  const told = child.message<{ told?: boolean }>((reply) => reply.told === true)
  child.send(message)
  await told
}
