import fp from 'fastify-plugin'
import { ConfigError } from '../config.ts'
import type { Store } from '../storage/contract.ts'
import { openStore } from '../storage/open-store.ts'
import { createPersistence, type Persistence, type PersistenceOptions } from '../storage/persistence.ts'
import { BEAT_INTERVAL_MS, createRecovery } from '../storage/recovery.ts'
import { StoreError } from '../storage/store-error.ts'

declare module 'fastify' {
  interface FastifyInstance {
    store: Store
    persistence: Persistence
  }
}

export interface StorageOptions extends PersistenceOptions {
  dbUrl: string
}

/**
 * Opens the store that `dbUrl` names; decorates `store` and `persistence`. Ends the turns of processes that
 * died. A URL that cannot be opened stops the boot with a `ConfigError`.
 */
export default fp<StorageOptions>(
  async (app, { dbUrl, ...options }) => {
    const store = await openStore(dbUrl, { report: (message) => app.log.error(message) }).catch(blameUrl)
    const persistence = createPersistence(store, options)
    app.decorate('store', store).decorate('persistence', persistence)
    try {
      await persistence.initialize()
    } catch (err) {
      await persistence.cleanup()
      blameUrl(err)
    }

    const recovery = createRecovery(app.store, options.owner)
    const timer = setInterval(() => {
      recovery.tick().then(
        (ended) => ended > 0 && app.log.warn({ turns: ended }, 'ended turns whose process died'),
        (err) => app.log.error({ err }, 'recovery failed, next try follows')
      )
    }, BEAT_INTERVAL_MS)
    app.addHook('onClose', async () => {
      clearInterval(timer)
      await app.persistence.cleanup()
    })
  },
  { name: 'storage' }
)

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
