import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Test } from 'tap'
import { tempFolder } from './app.ts'

export interface SpawnedServer {
  pid: number
  /** What it has printed so far. */
  output: { stdout: string; stderr: string }
  kill(signal: NodeJS.Signals): void
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Where it listens, without a trailing slash; rejects when it ends before it is ready. */
  listening: Promise<string>
}

export interface ServerProcess extends SpawnedServer {
  url: string
}

const SERVER = path.join(import.meta.dirname, '../../server.ts')
const READY = /Try it:\n\s+curl -N (http:\/\/\S+)\/v1\//

/** `node server.ts` with these settings and no others, on a free port unless they name one. Ends with the test. */
export function spawnServer(t: Test, settings: Record<string, string>): SpawnedServer {
  // As a user runs it: without tap's loader, which is slow and handles signals, and in an empty folder, because
  // the server reads a `.env` where it starts.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, SERVER], {
    cwd: tempFolder(t),
    env: { PATH: process.env.PATH, PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
  })
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })

  const listening = new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output.stderr += text
      const url = READY.exec(output.stderr)?.[1]
      if (url) resolve(url)
    })
    exited.then(() =>
      reject(new Error(`the server ended before it was ready:\n${output.stderr}${output.stdout}`))
    )
  })
  listening.catch(() => {}) // not every test waits for it
  return { pid: child.pid ?? 0, output, kill: (signal) => void child.kill(signal), exited, listening }
}

/** The same, once it says how to try it. */
export async function startServer(t: Test, settings: Record<string, string>): Promise<ServerProcess> {
  const server = spawnServer(t, settings)
  return { ...server, url: await server.listening }
}
