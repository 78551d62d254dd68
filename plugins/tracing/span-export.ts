import { context, propagation, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { bareSpan } from './bare-span.ts'

export interface SpanExport {
  tracer: Tracer
  /** Sends what is left, for a bounded time. */
  stop(): Promise<void>
}

export interface SpanExportOptions {
  endpoint: string
  serviceName: string
  batchMs: number
  /** Hears now and then of a collector that does not take what it is sent. */
  report(message: string): void
}

const SEND_TIMEOUT_MS = 5_000
const STOP_TIMEOUT_MS = 2_000
const REPORT_EVERY_MS = 60_000

/**
 * Sends spans to a collector, in batches and behind the service's back: what a collector does not take is dropped.
 * Calls to the upstream get a span and a `traceparent` where a span is active.
 */
export function startExport({ endpoint, serviceName, batchMs, report }: SpanExportOptions): SpanExport {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`
  const exporter = careful(new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS }), report)
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        scheduledDelayMillis: batchMs,
        exportTimeoutMillis: SEND_TIMEOUT_MS
      })
    ]
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const upstreamCalls = new UndiciInstrumentation({ requireParentforSpans: true })
  upstreamCalls.setTracerProvider(provider)

  return {
    tracer: provider.getTracer('turnkeeper'),
    async stop() {
      upstreamCalls.disable()
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, STOP_TIMEOUT_MS).unref())
      await Promise.race([provider.shutdown().catch(() => {}), timeout])
    }
  }
}

/** Sends nothing but what may be known, and tells of failures at most once a minute. */
function careful(exporter: SpanExporter, report: (message: string) => void): SpanExporter {
  let reportedAt = Number.NEGATIVE_INFINITY
  return {
    export(spans, done) {
      exporter.export(spans.map(bareSpan), (result) => {
        if (result.code !== 0 && performance.now() - reportedAt >= REPORT_EVERY_MS) {
          reportedAt = performance.now()
          report('traces cannot be sent to the collector')
        }
        done(result)
      })
    },
    shutdown: () => exporter.shutdown()
  }
}
