import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Test } from 'tap'
import { tempFolder } from './app.ts'

export interface ServerProcess {
  /** Where it listens, without a trailing slash. */
  url: string
  pid: number
  /** What it has printed so far. */
  output: { stdout: string; stderr: string }
  kill(signal: NodeJS.Signals): void
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

const SERVER = path.join(import.meta.dirname, '../../server.ts')
const READY = /Try it:\n\s+curl -N (http:\/\/\S+)\/v1\//

/**
 * `node server.ts` with these settings and no others, on a free port unless they name one. Resolves when it
 * says how to try it; rejects with what it printed when it ends before. Ends with the test at the latest.
 */
export async function startServer(t: Test, settings: Record<string, string>): Promise<ServerProcess> {
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

  const ready = new Promise<string>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output.stderr += text
      const url = READY.exec(output.stderr)?.[1]
      if (url) resolve(url)
    })
  })
  const failed = exited.then(() => {
    throw new Error(`the server ended before it was ready:\n${output.stderr}${output.stdout}`)
  })
  const url = await Promise.race([ready, failed])
  failed.catch(() => {}) // from here on, its end is what the test makes of it
  return { url, pid: child.pid ?? 0, output, kill: (signal) => void child.kill(signal), exited }
}
