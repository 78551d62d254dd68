import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Test } from 'tap'
import { tempFolder } from './app.ts'

export interface RouteOfServer {
  method: string
  /** With `:params` and `*`. */
  url: string
  /** Fields that its schemas name. */
  names: string[]
}

interface Answers {
  routes: RouteOfServer[]
  memory: NodeJS.MemoryUsage
  sockets: number
  polluted: boolean
}

export interface WatchedServer {
  url: string
  pid: number
  /** What it has printed to stderr. */
  errors(): string
  /** Lines of the log so far. */
  lines(): number
  /** Lines that were not one JSON object, or told of a fault: at most the first 20. */
  oddLines: string[]
  ask<Q extends keyof Answers>(question: Q): Promise<Answers[Q]>
  kill(signal: NodeJS.Signals): void
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Whether it runs. */
  alive(): boolean
}

const SERVER = path.join(import.meta.dirname, '../fixtures/watched-server.ts')
const READY = /Try it:\n\s+curl -N (http:\/\/\S+)\/v1\//
/** Pino's level of errors. */
const ERROR = 50

/** The service in a process of its own that can be asked about its insides, and whose log is read line by line. */
export async function startWatched(
  t: Test,
  settings: Record<string, string>,
  flags: string[] = []
): Promise<WatchedServer> {
  const node = [process.execPath, '--expose-gc', ...flags, SERVER]
  // Without tap's loader, and in an empty folder, as the helper for plain server processes does it.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...node], {
    cwd: tempFolder(t),
    env: { PATH: process.env.PATH, PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  let alive = true
  const exited = once(child, 'close').then(([code, signal]) => {
    alive = false
    return { code, signal }
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })

  let lines = 0
  let rest = ''
  const oddLines: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    lines += parts.length
    for (const line of parts) if (isOdd(line) && oddLines.length < 20) oddLines.push(line.slice(0, 2_000))
  })

  let stderr = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text
      const ready = READY.exec(stderr)?.[1]
      if (ready) resolve(ready)
    })
    exited.then(() => reject(new Error(`the server ended before it was ready:\n${stderr}`)))
  })

  const waiting: ((answer: never) => void)[] = []
  child.on('message', ({ answer }: { answer: never }) => waiting.shift()?.(answer))
  return {
    url,
    pid: child.pid ?? 0,
    errors: () => stderr,
    lines: () => lines,
    oddLines,
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (!alive) return reject(new Error('the server has ended'))
        waiting.push(resolve)
        exited.then(() => reject(new Error('the server has ended')))
        child.send(question)
      }),
    kill: (signal) => void child.kill(signal),
    exited,
    alive: () => alive
  }
}

function isOdd(line: string): boolean {
  try {
    const { level, time, msg } = JSON.parse(line) as Record<string, unknown>
    return typeof level !== 'number' || typeof time !== 'number' || typeof msg !== 'string' || level >= ERROR
  } catch {
    return true
  }
}
