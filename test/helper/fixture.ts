import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

const folder = path.join(import.meta.dirname, '../fixtures')

/** Permissions do not bind root as long as it has its capabilities; another user might not reach the checkout. */
const BOUND = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : []

/** A process that ends with the test at the latest. */
function spawnWithTest(t: Test, command: string, args: string[]) {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const exited = once(child, 'exit') as Promise<[code: number | null, signal: NodeJS.Signals | null]>
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { stdin: child.stdin, stdout: child.stdout, exited }
}

/** A script of `test/fixtures` in a process of its own. */
export function spawnFixture(t: Test, script: string, args: string[]) {
  return spawnWithTest(t, process.execPath, [path.join(folder, script), ...args])
}

/**
 * Runs a script of `test/fixtures` to its end, bound by permissions and by the shell command `limits`. Resolves to the JSON value
 * that it printed.
 */
export async function runFixture(t: Test, script: string, args: string[], limits = ':'): Promise<unknown> {
  const command = [process.execPath, path.join(folder, script), ...args]
  // tap adds a loader of its own to every process; it would write files, which these may not be able to.
  const shell = `unset NODE_OPTIONS; ${limits} && exec "$@"`
  const child = spawnWithTest(t, 'sh', ['-c', shell, 'sh', ...BOUND, ...command])
  const [output, [code, signal]] = await Promise.all([text(child.stdout), child.exited])
  if (code !== 0) throw new Error(`${script} ended with ${code ?? signal}: ${output}`)
  return JSON.parse(output)
}
