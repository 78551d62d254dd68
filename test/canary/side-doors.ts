import { renameSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { openDatabase } from '../helper/database.ts'
import { startPostgres } from '../helper/postgres.ts'
import { connect } from '../helper/postgres-client.ts'
import { startServer } from '../helper/server-process.ts'
import { startUpstream } from '../helper/upstream.ts'
import { IDENTITIES, type Identity } from '../isolation/identities.ts'
import { contentsOf, isClean, NAMES, SECRETS, TEXTS } from './canaries.ts'
import { canaryUpstream } from './canary-upstream.ts'
import { createDriver, driveFailings, driveRefusals, driveRoutes, driveStoreFailure } from './drive.ts'

interface Place {
  dbUrl: string
  /** All that is stored, as text. */
  stored(): Promise<string>
  /** From here on the store fails, with texts in its errors where it can. */
  breakStore(): Promise<void>
}

const PLACES: Record<string, (t: Test) => Promise<Place>> = {
  async sqlite(t) {
    const folder = tempFolder(t)
    const dbUrl = `sqlite:${path.join(folder, 'test.db')}`
    return {
      dbUrl,
      stored: () => contentsOf(folder),
      async breakStore() {
        openDatabase(t, dbUrl).exec(`create trigger refuse before insert on turns begin
          select raise(abort, 'refused: ${TEXTS.prompt}'); end`)
      }
    }
  },
  async filejson(t) {
    const folder = tempFolder(t)
    return {
      dbUrl: `filejson:${path.join(folder, 'here')}`,
      stored: () => contentsOf(folder),
      breakStore: async () => renameSync(path.join(folder, 'here'), path.join(folder, 'away'))
    }
  },
  async postgres(t) {
    const server = await startPostgres(t)
    const url = new URL(await server.createDatabase())
    url.password = `${SECRETS['database password']}`
    const client = await connect(t, url.href)
    return {
      dbUrl: url.href,
      async stored() {
        const all: unknown[] = []
        for (const table of ['conversations', 'turns', 'media', 'search_entries', 'owners', 'api_keys'])
          all.push((await client.query(`select * from ${table}`)).rows)
        return JSON.stringify(all)
      },
      // Postgres quotes the whole row in the detail of such an error.
      breakStore: async () =>
        void (await client.query(`alter table turns add check (user_text not like '%PROMPT%') not valid`))
    }
  }
}

/** Sends every canary through every route and every failure, and then looks where it must not have come. */
export async function sideDoors(t: Test, driver: string, auth: string): Promise<void> {
  const place = await PLACES[driver]?.(t)
  const identity = await IDENTITIES[auth]?.(t)
  if (!place || !identity) throw new Error('there is no such setup')
  const upstream = await startUpstream(t, canaryUpstream)
  const { url, output, kill, exited } = await startServer(t, {
    LOG_LEVEL: 'trace',
    DB_URL: place.dbUrl,
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: `${SECRETS['upstream key']}`,
    METRICS_TOKEN: `${SECRETS['metrics token']}`,
    REDIS_URL: `redis://:${SECRETS['redis password']}@127.0.0.1:1`,
    RATE_LIMIT_PER_MINUTE: '1000000',
    MAX_REQUEST_BYTES: '100000',
    UPSTREAM_HEADERS_TIMEOUT_MS: '300',
    UPSTREAM_IDLE_TIMEOUT_MS: '300',
    FINAL_WRITE_TIMEOUT_MS: '300',
    ...identity.settings
  })
  const credentials = await credentialsOf(identity, place.dbUrl)
  const token = credentials.authorization?.replace(/^Bearer /, '') ?? ''
  const driven = createDriver(t, url, {
    ...(auth === 'header' && { authorization: `Bearer ${SECRETS['client key']}` }),
    ...credentials
  })

  await driveRoutes(driven.call)
  await driveRefusals(driven.call, url)
  await driveFailings(driven.call)
  const metrics = await driven.call('/metrics', {
    headers: { authorization: `Bearer ${SECRETS['metrics token']}` }
  })
  t.equal(metrics.status, 200, 'the metrics are there')
  isClean(t, metrics.text, { ...SECRETS, ...TEXTS, ...NAMES }, 'the metrics')
  const stored = await place.stored()
  for (const what of ['prompt', 'answer', 'title', 'metadata'])
    t.match(stored, TEXTS[what], `the ${what} is kept`)
  isClean(t, stored, { ...SECRETS, ...(token && { token }) }, 'the store')
  await place.breakStore()
  await driveStoreFailure(driven.call)
  kill('SIGTERM')
  await exited

  t.ok(driven.answered() > 200, `${driven.answered()} requests were answered`)
  const lines = output.stdout.trim().split('\n')
  for (const line of lines) if (!isJson(line)) t.fail(`a line of the log is not JSON: ${line}`)
  t.ok(lines.length > driven.answered(), 'all was logged')
  t.match(output.stdout, 'STORE_', 'the failures of the store are in the log')
  const printed = output.stdout + output.stderr
  isClean(t, printed, { ...SECRETS, ...TEXTS, ...NAMES, ...(token && { token }) }, 'the output')
}

/** Made on a store of the test's own, beside the service. */
async function credentialsOf(identity: Identity, dbUrl: string): Promise<Record<string, string>> {
  const store = await openStore(dbUrl, { report() {} })
  try {
    return await identity.headersOf(store, 'somebody')
  } finally {
    await store.close()
  }
}

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}
