import { mkdtempSync } from 'node:fs'
import path from 'node:path'
import { removeFolder, temporaryFolder } from '../machine/cleanup.ts'
import { type JobOptions, runJob } from '../storage/job.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../storage/postgres.ts'
import { type RunContext, type Sample, undisturbed } from './scenario.ts'

export type Database = 'sqlite' | 'postgres' | 'filejson'

/** Stores for the storage scenarios, each a new one. */
export interface Stores {
  has(database: Database): boolean
  create(database: Database): Promise<string>
  stop(): Promise<void>
}

export async function openStores(wanted: Database[], { note }: RunContext): Promise<Stores> {
  const folder = temporaryFolder()
  let postgres: PostgresServer | undefined
  const missing = wanted.includes('postgres') ? postgresMissing() : null
  if (missing !== null) note(`Postgres is left out: ${missing}.`)
  else if (wanted.includes('postgres')) postgres = await startPostgres()
  return {
    has: (database) => database !== 'postgres' || postgres !== undefined,
    async create(database) {
      if (database === 'postgres') return (await postgres?.createDatabase()) ?? ''
      const own = mkdtempSync(path.join(folder, 'store-'))
      return database === 'sqlite' ? `sqlite:${path.join(own, 'bench.db')}` : `filejson:${own}`
    },
    async stop() {
      await postgres?.stop()
      removeFolder(folder)
    }
  }
}

/** One measurement; the store is a new one each time it is made. */
export async function sampleOf(
  place: Pick<Sample, 'scenario' | 'target' | 'round'>,
  job: string,
  options: (() => Promise<JobOptions>) | JobOptions
): Promise<Sample> {
  try {
    const measured = await undisturbed(async () =>
      runJob(job, typeof options === 'function' ? await options() : options)
    )
    return { ...place, ...measured }
  } catch (err) {
    return { ...place, figures: {}, othersCores: 0, error: (err as Error).message }
  }
}
