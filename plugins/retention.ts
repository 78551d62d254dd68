import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { createSweeper, type Sweeper } from '../storage/retention/sweeper.ts'

declare module 'fastify' {
  interface FastifyInstance {
    retention: Sweeper & {
      /** Aborted as soon as the service closes: whatever deletes in batches then begins no other. */
      stopping: AbortSignal
    }
  }
}

export interface RetentionOptions {
  /** Days after which a conversation goes; 0 = never. */
  days: number
  /** When the first run begins; ms after the start. Default: 60,000. */
  firstAfterMs?: number
  /** Time from one run to the next; ms. Default: 600,000. */
  everyMs?: number
}

/**
 * Deletes in the background what is older than `days`; decorates `retention`. Every instance does so, each at its own
 * moments. A run that fails is logged, and the next one tries again.
 */
export default fp<RetentionOptions>(
  async (app, { days, firstAfterMs = 60_000, everyMs = 600_000 }) => {
    const sweeper = createSweeper(app.store, { days })
    const stop = new AbortController()
    const { signal } = stop
    app.decorate('retention', { ...sweeper, stopping: signal })
    app.addHook('preClose', async () => stop.abort())
    if (days === 0) return

    async function work(): Promise<void> {
      for (let waitMs = firstAfterMs; ; waitMs = everyMs) {
        await sleep(jittered(waitMs), undefined, { signal }).catch(() => {})
        if (signal.aborted) return
        await run()
      }
    }

    async function run(): Promise<void> {
      const startedAt = performance.now()
      try {
        const outcome = await sweeper.run(signal)
        if (outcome === 'clock_moved') app.log.warn('the clock was set, no retention in this run')
        else if (outcome.conversations > 0)
          app.log.info({ ...outcome, durationMs: Math.round(performance.now() - startedAt) }, 'retention')
      } catch (err) {
        app.log.error({ err }, 'retention failed, next try follows')
      }
    }

    const working = work()
    app.addHook('onClose', async () => {
      stop.abort() // a start that failed gets no `preClose`
      await working
    })
  },
  { name: 'retention', dependencies: ['storage'] }
)

/** So that instances that were started together do not sweep together. */
function jittered(ms: number): number {
  return ms * (0.8 + Math.random() * 0.4)
}
