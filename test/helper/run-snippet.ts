import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { tempFolder } from './app.ts'

const root = path.join(import.meta.dirname, '../..')

/** Where the documents say that the service listens. */
const DOCUMENTED = 'http://127.0.0.1:3001'

/**
 * Runs a snippet of the documents in a process of its own, unchanged but for the port, and resolves to what
 * it printed. Rejects when a command of it fails; curl fails on an HTTP error too.
 */
export async function runSnippet(
  t: Test,
  language: 'sh' | 'js',
  snippet: string,
  url: string
): Promise<string> {
  if (!snippet.includes(DOCUMENTED)) throw new Error('the snippet calls nothing')
  const code = snippet.replaceAll(DOCUMENTED, url)
  const folder = tempFolder(t)
  writeFileSync(path.join(folder, '.curlrc'), 'fail\nno-progress-meter\n')
  const env = { PATH: process.env.PATH, CURL_HOME: folder, HOME: folder }
  const [file, args, cwd] =
    language === 'sh'
      ? ['bash', ['--norc', '-euo', 'pipefail', '-c', code], folder]
      : [process.execPath, ['--input-type=module', '--eval', code], root]
  const child = execFile(file, args, { cwd, env, timeout: 20_000 })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (text) => {
    stdout += text
  })
  child.stderr?.on('data', (text) => {
    stderr += text
  })
  child.stdin?.end()
  const [exitCode, signal] = await once(child, 'close')
  if (exitCode !== 0) {
    throw new Error(`the snippet ended with ${exitCode ?? signal}:\n${stdout.slice(-500)}\n${stderr}`)
  }
  return stdout
}
