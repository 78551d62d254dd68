import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
  events?: unknown[]
  status: { code?: number; message?: string }
}

export interface Collector {
  /** The base URL, as the setting has it. */
  url: string
  spans: Span[]
  /** All that was sent, as it came. */
  text: string
  /** Headers of the calls. */
  calls: http.IncomingHttpHeaders[]
}

/** A real OTLP receiver that answers with `status`, null = never. Closes with the test. */
export async function startCollector(t: Test, status: number | null = 200): Promise<Collector> {
  const collector: Collector = { url: '', spans: [], text: '', calls: [] }
  const server = http.createServer(async (req, res) => {
    let body = ''
    for await (const chunk of req) body += chunk
    collector.calls.push(req.headers)
    collector.text += body
    for (const { scopeSpans } of JSON.parse(body).resourceSpans)
      for (const { spans } of scopeSpans) collector.spans.push(...spans)
    if (status !== null) res.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return collector
}
