import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { tempFolder } from './app.ts'

const SERVER = path.join(import.meta.dirname, '../../server.ts')

export interface Swept {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the sweep command as its npm script does, with these settings and no others, in `folder`. */
export async function runSweep(
  t: Test,
  args: string[],
  settings: Record<string, string>,
  folder = tempFolder(t)
): Promise<Swept> {
  // Without tap's loader, which slows the start and handles signals.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, SERVER, 'sweep', ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const closed = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { code, stdout, stderr }
}
