import path from 'node:path'
import { startChild } from '../machine/child.ts'
import { watchCpu } from '../machine/cpu.ts'

export type Figures = Record<string, number>
/** What a file of `jobs/` exports as `run`. */
export type Job = (options: JobOptions) => Promise<Figures>

export interface JobOptions {
  /** A URL as in `DB_URL`. */
  url: string
  /** What is measured, where a job measures several things. */
  subject?: string
  durationMs?: number
  conversations?: number
  turns?: number
}

export interface JobRequest {
  job: string
  options: JobOptions
}
export interface JobReply {
  figures: Figures
  failure?: string
}

const PATIENCE_MS = 400_000

/** Runs a job in a process of its own, on the target's core. */
export async function runJob(job: string, options: JobOptions) {
  const script = path.join(import.meta.dirname, 'child.ts')
  const child = startChild({ command: [process.execPath, script], role: 'target' })
  const stopWatch = watchCpu(child.pid)
  try {
    const reply = child.message<JobReply>((message) => message.figures !== undefined, PATIENCE_MS)
    child.send({ job, options } satisfies JobRequest)
    const { figures, failure } = await reply
    if (failure !== undefined) throw new Error(failure)
    return { figures, othersCores: stopWatch().othersCores, error: null }
  } finally {
    await child.stop()
  }
}
