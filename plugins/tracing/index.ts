import fp from 'fastify-plugin'
import type { Persistence } from '../../storage/persistence.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The facade with a span around each of its writes; without tracing as it is. */
    traced(persistence: Persistence): Persistence
  }
}

export interface TracingOptions {
  /** Base URL of the collector (OTLP over HTTP); without it nothing is traced, or even loaded. */
  endpoint: string | undefined
  serviceName: string
  /** How long finished spans are gathered before they are sent. */
  batchMs?: number
}

/** Traces requests through to the upstream; decorates `traced`. */
export default fp<TracingOptions>(
  async (app, { endpoint, serviceName, batchMs = 5_000 }) => {
    if (endpoint === undefined) {
      app.decorate('traced', (persistence) => persistence)
      return
    }
    const { startExport } = await import('./span-export.ts')
    const { traceRequests } = await import('./request-spans.ts')
    const { traceWrites } = await import('./write-spans.ts')
    const report = (message: string) => app.log.warn(message)
    const { tracer, stop } = startExport({ endpoint, serviceName, batchMs, report })
    traceRequests(app, tracer)
    app.decorate('traced', (persistence) => traceWrites(persistence, tracer))
    app.addHook('onClose', stop)
  },
  { name: 'tracing' }
)
