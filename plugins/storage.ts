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
    let persistence: Persistence | undefined
    try {
      const store = await openStore(dbUrl, { report: (message) => app.log.error(message) })
      persistence = createPersistence(store, options)
      app.decorate('store', store).decorate('persistence', persistence)
      await persistence.initialize()
    } catch (err) {
      await persistence?.cleanup()
      if (err instanceof StoreError) throw new ConfigError('DB_URL', err.message)
      throw err
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
