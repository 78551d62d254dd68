import fp from 'fastify-plugin'
import { ConfigError } from '../config.ts'
import type { Store } from '../storage/contract.ts'
import { countTurns, type TurnFigures } from '../storage/counted-store.ts'
import { openStore } from '../storage/open-store.ts'
import { createPersistence, type Persistence, type PersistenceOptions } from '../storage/persistence.ts'
import { BEAT_INTERVAL_MS, createRecovery } from '../storage/recovery.ts'
import { StoreError } from '../storage/store-error.ts'
import { createThreading, type Threading } from '../storage/threading/threading.ts'
import { watchWrites } from '../storage/watched-persistence.ts'

declare module 'fastify' {
  interface FastifyInstance {
    store: Store
    persistence: Persistence
    /** Tells which conversation a request goes on with; null when that is switched off. */
    threading: Threading | null
    turnFigures: TurnFigures
    /** How often looking after the other processes failed. */
    recovery: { failures: number }
  }
}

/** Longest wait for the store to close. */
const CLOSE_TIMEOUT_MS = 5_000

export interface StorageOptions extends PersistenceOptions {
  dbUrl: string
  /** Whether requests that name no conversation are told where they belong. */
  infersThreads: boolean
}

/**
 * Opens the store that `dbUrl` names; decorates `store`, `persistence`, `threading` and what is counted of them. Ends the turns of
 * processes that died. A URL that cannot be opened stops the boot with a `ConfigError`.
 */
export default fp<StorageOptions>(
  async (app, { dbUrl, infersThreads, ...options }) => {
    const store = await openStore(dbUrl, { report: (message) => app.log.error(message) }).catch(blameUrl)
    const counted = countTurns(store)
    const measured = watchWrites(createPersistence(counted.store, options), app.metrics.watchWrite)
    const persistence = app.traced(measured)
    app.decorate('store', store).decorate('persistence', persistence).decorate('turnFigures', counted.figures)
    try {
      await persistence.initialize()
      app.decorate('threading', infersThreads ? createThreading(store, await store.secret()) : null)
    } catch (err) {
      await persistence.cleanup()
      blameUrl(err)
    }

    const recovery = createRecovery(counted.store, options.owner)
    const failed = { failures: 0 }
    app.decorate('recovery', failed)
    const timer = setInterval(() => {
      recovery.tick().then(
        (ended) => ended > 0 && app.log.warn({ turns: ended }, 'ended turns whose process died'),
        (err) => {
          failed.failures += 1
          app.log.error({ err }, 'recovery failed, next try follows')
        }
      )
    }, BEAT_INTERVAL_MS)
    app.addHook('onClose', async () => {
      clearInterval(timer)
      await closed(app.persistence.cleanup(), (message) => app.log.error(message))
    })
  },
  { name: 'storage', dependencies: ['metrics', 'tracing'] }
)

/** A store that hangs must not hold the process: what was acknowledged is written already. */
async function closed(closing: Promise<void>, report: (message: string) => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      report('the store did not close in time')
      resolve()
    }, CLOSE_TIMEOUT_MS)
  })
  await Promise.race([closing, late]).finally(() => clearTimeout(timer))
}

/** Brings the schema up to date and does nothing else: a service may be running on the store. */
export async function migrateStore(dbUrl: string): Promise<void> {
  const store = await openStore(dbUrl, { report() {} }).catch(blameUrl)
  await store
    .initialize()
    .catch(blameUrl)
    .finally(() => store.close())
}

function blameUrl(err: unknown): never {
  if (err instanceof StoreError) throw new ConfigError('DB_URL', err.message, err)
  throw err
}
