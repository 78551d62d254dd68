import type { ReadableSpan } from '@opentelemetry/sdk-trace'

/** What a span may say. Libraries say more: whole URLs with their queries, messages of errors that quote. */
const ALLOWED = new Set([
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'error.type',
  'server.address',
  'server.port',
  'network.protocol.version'
])

/** The span without texts: no attribute but those allowed, no events, no message with its status. */
export function bareSpan(span: ReadableSpan): ReadableSpan {
  const allowed = Object.entries(span.attributes).filter(([name]) => ALLOWED.has(name))
  return Object.create(span, {
    attributes: { value: Object.fromEntries(allowed) },
    events: { value: [] },
    links: { value: [] },
    status: { value: { code: span.status.code } }
  })
}
