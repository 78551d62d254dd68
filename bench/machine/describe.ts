import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import path from 'node:path'
import { pinned } from './child.ts'

const ROOT = path.join(import.meta.dirname, '../..')

export interface Machine {
  cpu: string
  memory: string
  system: string
  pinning: string
  versions: Record<string, string>
}

/** What the figures depend on. */
export function describeMachine(): Machine {
  const packages = ['fastify', 'undici', 'better-sqlite3', 'pg']
  return {
    cpu: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${release().split('-')[0]}`,
    pinning: pinned
      ? 'target on CPU 1, mock upstream and load on CPU 0'
      : 'nothing is pinned: one CPU, or no taskset',
    versions: {
      Node: process.versions.node,
      ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
      nginx: nginxVersion() ?? 'missing'
    }
  }
}

function versionOf(name: string): string {
  const file = path.join(ROOT, 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

export function nginxVersion(): string | null {
  const { stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' })
  return /nginx\/(\S+)/.exec(stderr ?? '')?.[1] ?? null
}
