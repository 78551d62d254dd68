import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const children = new Set<ChildProcess>()
const folders = new Set<string>()

export const remember = (child: ChildProcess): void => void children.add(child)
export const forget = (child: ChildProcess): void => void children.delete(child)

/** The processes of this run, this one among them. */
export function ownPids(): number[] {
  return [process.pid, ...[...children].flatMap(({ pid }) => pid ?? [])]
}

/** A folder that is gone when the run is, or earlier by `removeFolder`. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'turnkeeper-bench-'))
  folders.add(folder)
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  folders.delete(folder)
}

/** Leaves no process and no folder behind, however the run ends. */
export function cleanUpAtExit(): void {
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL')
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      process.stderr.write(`ended by ${signal}\n`)
      process.exit(130)
    })
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
