import { execFile } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Test } from 'tap'
import { tempFolder } from './app.ts'

export const EXAMPLES = path.join(import.meta.dirname, '../../examples')

/**
 * Runs a file of `examples/` as it stands, in a process and an empty folder of its own, against the service at `url`.
 * Resolves to what it printed. Rejects when it fails, or complains on stderr.
 */
export async function runExample(t: Test, name: string, url: string, ...args: string[]): Promise<string> {
  const folder = tempFolder(t)
  const program = name.endsWith('.sh') ? ['bash', '--norc'] : [process.execPath]
  // `env` because tap hands its loader on to every process of Node's.
  const child = execFile('env', ['-u', 'NODE_OPTIONS', ...program, path.join(EXAMPLES, name), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, TURNKEEPER_URL: `${url}/v1` },
    timeout: 60_000
  })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (text) => {
      output[stream] += text
    })
  }
  child.stdin?.end()
  const [exitCode, signal] = await once(child, 'close')
  if (exitCode !== 0 || output.stderr !== '') {
    throw new Error(`examples/${name} ended with ${exitCode ?? signal}:\n${output.stdout}\n${output.stderr}`)
  }
  return output.stdout
}
