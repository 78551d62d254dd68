import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Test } from 'tap'

const SERVER = path.join(import.meta.dirname, '../../server.ts')

export interface ServerProcess {
  child: ChildProcessWithoutNullStreams
  /** What it has printed so far. */
  output: { stdout: string; stderr: string }
  /** Where it listens. Rejects when it ends without listening. */
  listening: Promise<string>
  /** Its exit code, once it has ended and all output has come. */
  exited: Promise<number | null>
}

/** Runs `server.ts` as `npm start` does, with these settings alone, in `folder`; killed with the test. */
export function startProcess(t: Test, folder: string, settings: Record<string, string>): ServerProcess {
  const child = spawn(process.execPath, [SERVER], { cwd: folder, env: { PORT: '0', ...settings } })
  const output = { stdout: '', stderr: '' }
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const listening = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      output.stderr += chunk
      const url = /(http:\/\/[^/]+)\/v1\/chat/.exec(output.stderr)?.[1]
      if (url) resolve(url)
    })
    exited.then(() => reject(new Error(`the server ended: ${output.stderr}`)))
  })
  listening.catch(() => {}) // not every test waits for it
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { child, output, listening, exited }
}
