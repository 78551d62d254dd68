import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Test } from 'tap'
import { tempFolder } from './app.ts'

const SERVER = path.join(import.meta.dirname, '../../server.ts')

/** Runs `node server.ts <args>` with these settings and no others, to its end. */
export async function runServer(
  t: Test,
  args: string[],
  settings: Record<string, string>
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, SERVER, ...args], {
    cwd: tempFolder(t), // the server reads a `.env` where it starts
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, ...output }
}
