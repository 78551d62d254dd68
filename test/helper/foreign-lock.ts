import { once } from 'node:events'
import type { Test } from 'tap'
import { spawnFixture } from './fixture.ts'

/** Locks a SQLite file from another process. Resolves, once the lock is held, to what releases it. */
export async function lockFile(t: Test, file: string): Promise<() => Promise<void>> {
  const { stdin, stdout, exited } = spawnFixture(t, 'hold-lock.ts', [file])
  await once(stdout, 'data')
  return async () => {
    stdin.end()
    await exited
  }
}
