import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fastifyAi } from './targets/fastify-ai.ts'
import { llms } from './targets/llms.ts'
import { portkey } from './targets/portkey.ts'
import type { Target } from './targets/target.ts'

const FOLDER = path.join(import.meta.dirname, 'peers')

/** Other gateways, which are no dependencies of ours. Throws where they have not been fetched. */
export function installedPeers(): Target[] {
  if (!existsSync(path.join(FOLDER, 'node_modules')))
    throw new Error('fetch the peers first: npm run bench -- --fetch-peers')
  return [portkey, llms, fastifyAi]
}

/** Installs them as their own lock file has them. */
export function fetchPeers(): void {
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: FOLDER,
    stdio: 'inherit'
  })
  if (status !== 0) throw new Error('npm could not install the peers')
}
