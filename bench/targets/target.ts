import path from 'node:path'
import type { InsideReply, Question } from '../inside.ts'
import type { Ask } from '../load/ask.ts'
import { type Child, startChild } from '../machine/child.ts'

/** Something that stands between client and upstream, and is measured. */
export interface Target {
  name: string
  /** What it is, for the report. */
  about: string
  /** Why it cannot run here; null = it can. */
  missing?(): string | null
  start(context: TargetContext): Promise<RunningTarget>
}

export interface TargetContext {
  /** Without a path. */
  upstreamUrl: string
  /** For files; gone after the scenario. */
  folder: string
}

export interface RunningTarget {
  url: string
  /** Null when there is no process to measure. */
  pid: number | null
  /** What it wants otherwise in a request. */
  adapt?(ask: Ask): Ask
  /** Headers for each of `count` connections that go on in a conversation of their own. */
  conversations?(count: number): Promise<Record<string, string>[]>
  /** Asks the part of the bench inside of it. */
  ask?(question: Question): Promise<InsideReply>
  stop(): Promise<void>
}

export const INSIDE = path.join(import.meta.dirname, '../inside.ts')

export async function askInside(child: Child, question: Question): Promise<InsideReply> {
  const reply = child.message<InsideReply>(({ asked }) => asked === question.ask)
  child.send(question)
  return await reply
}

/** A script of `bench/servers/` as a target; it says itself where it listens. */
export async function startScript(
  name: string,
  { upstreamUrl, folder }: TargetContext,
  env: Record<string, string> = {}
): Promise<RunningTarget> {
  const script = path.join(import.meta.dirname, '../servers', name)
  const child = startChild({
    command: [process.execPath, script, upstreamUrl],
    role: 'target',
    cwd: folder,
    env: { NODE_ENV: 'production', ...env }
  })
  const { url } = await child.message<{ url?: string }>((message) => message.url !== undefined)
  return {
    url: url ?? '',
    pid: child.pid,
    ask: (question) => askInside(child, question),
    stop: () => child.stop()
  }
}
