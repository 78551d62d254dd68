import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { accepts, freePort } from '../integration/nginx.ts'
import { findProgram, without } from '../integration/programs.ts'
import { tempFolder } from './app.ts'
import { eventually } from './endings.ts'

export const withoutRedis = without('redis-server')

export interface RedisServer {
  url: string
  process: ChildProcess
  /** Ends it at once, as a crash would: what it held is gone. */
  kill(): Promise<void>
  /** Starts it anew, empty, on the same port. */
  start(): Promise<void>
}

/** A real Redis on a free loopback port that keeps nothing and ends with the test. */
export async function startRedis(t: Test, ...options: string[]): Promise<RedisServer> {
  const program = findProgram('redis-server')
  if (program === undefined) throw new Error('redis-server is not installed')
  const port = await freePort()
  const folder = tempFolder(t)
  const server = {
    url: `redis://127.0.0.1:${port}`,
    process: undefined as unknown as ChildProcess,
    async kill() {
      if (server.process.exitCode !== null || server.process.signalCode !== null) return
      const exited = once(server.process, 'exit')
      server.process.kill('SIGKILL')
      await exited
    },
    async start() {
      const given = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...options]
      server.process = spawn(program, given, { stdio: 'ignore' })
      await eventually('Redis listens', () => accepts(port))
    }
  }
  t.teardown(() => server.kill())
  await server.start()
  return server
}
