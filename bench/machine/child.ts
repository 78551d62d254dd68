import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { connect } from 'node:net'
import { availableParallelism } from 'node:os'
import { forget, remember } from './cleanup.ts'

export interface ChildOptions {
  command: string[]
  /** Which of the two cores it gets. */
  role: 'load' | 'target'
  env?: Record<string, string>
  cwd?: string
  /** A file that takes what it prints; else that is thrown away. */
  output?: string
  /** As whom it runs. */
  user?: { uid: number; gid: number } | undefined
}

export interface Child {
  pid: number
  process: ChildProcess
  /** What it wrote to stderr so far. */
  errors(): string
  send(message: object): void
  /** The next message that `accepts`; rejects when the process ends before, or after `timeoutMs`. */
  message<T extends object>(accepts: (message: T) => boolean, timeoutMs?: number): Promise<T>
  stop(): Promise<void>
}

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0

/** Whether the target has a core to itself. */
export const pinned = process.platform === 'linux' && availableParallelism() >= 2 && has('taskset')
/** With this the kernel ends the children of a run that was killed. */
const tied = process.platform === 'linux' && has('setpriv')

/** A process of this run: on its core, with a channel to it, and gone when the run is. */
export function startChild({ command, role, env, cwd, output, user }: ChildOptions): Child {
  const asUser = user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : []
  const words = [
    ...(tied ? ['setpriv', '--pdeathsig', 'KILL', ...asUser, '--'] : []),
    ...(pinned ? ['taskset', '-c', role === 'load' ? '0' : '1'] : []),
    ...command
  ]
  const [program = '', ...args] = words
  const stdout = output === undefined ? 'ignore' : openSync(output, 'a')
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
    ...(cwd !== undefined && { cwd }),
    ...(!tied && user)
  })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-20_000)
  })
  const exited = once(child, 'close')
  remember(child)
  exited.finally(() => forget(child))

  return {
    pid: child.pid ?? 0,
    process: child,
    errors: () => errors,
    send: (message) => void child.send(message),
    message<T extends object>(accepts: (message: T) => boolean, timeoutMs = 60_000): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const name = command.slice(0, 3).join(' ')
      const timer = setTimeout(() => reject(new Error(`${name} does not answer`)), timeoutMs)
      const listen = (message: unknown) => accepts(message as T) && resolve(message as T)
      const end = () => reject(new Error(`${name} ended: ${errors}`))
      child.on('message', listen).once('close', end)
      return promise.finally(() => {
        clearTimeout(timer)
        child.off('message', listen).off('close', end)
      })
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
      await exited.finally(() => clearTimeout(timer))
    }
  }
}

/** Resolves when something listens on `port`, which `child` is to do. */
export async function listening(child: Child, port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.process.exitCode !== null) throw new Error(`it ended: ${child.errors()}`)
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false
    )
    socket.destroy()
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nothing listens on port ${port}: ${child.errors()}`)
}
