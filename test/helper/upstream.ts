import { once } from 'node:events'
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface UpstreamCallRecord {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
  /** Resolves when the connection is gone before the answer was complete. */
  cancelled: Promise<void>
}

export type UpstreamScript = (
  res: ServerResponse,
  call: UpstreamCallRecord,
  req: IncomingMessage
) => void | Promise<void>

export interface ScriptedUpstream {
  /** The base URL, up to and including `/v1`. */
  url: string
  calls: UpstreamCallRecord[]
  /** Replaces what the upstream does from the next call on. */
  script: UpstreamScript
}

/** A real HTTP server on a free loopback port that does what the test says, and closes with the test. */
export async function startUpstream(
  t: Test,
  script: UpstreamScript = plainAnswer
): Promise<ScriptedUpstream> {
  const upstream: ScriptedUpstream = { url: '', calls: [], script }
  const server = http.createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const cancelled = new Promise<void>((resolve) => {
      res.on('close', () => !res.writableFinished && resolve())
    })
    const call: UpstreamCallRecord = {
      method: req.method ?? '',
      url: req.url ?? '',
      headers: req.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      cancelled
    }
    upstream.calls.push(call)
    await upstream.script(res, call, req)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return upstream
}

/** Answers `Hello world` as the request asks: as a stream, or as JSON. */
export const plainAnswer: UpstreamScript = (res, call) => {
  const wantsStream = (JSON.parse(call.body) as { stream?: boolean }).stream === true
  if (!wantsStream) return sendJson(res, 200, completion('Hello world'))
  startSse(res)
  res.end(
    `${delta({ role: 'assistant', content: 'Hello' })}${delta({ content: ' world' })}${finish()}${DONE}`
  )
}

export const DONE = 'data: [DONE]\n\n'

export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export function startSse(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.flushHeaders()
}

/** One stream event with a delta of choice 0. */
export function delta(content: object, finishReason: string | null = null): string {
  const choice = { index: 0, delta: content, finish_reason: finishReason }
  const chunk = {
    id: 'chatcmpl-test',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [choice]
  }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

/** The stream event with the finish reason. */
export function finish(reason = 'stop'): string {
  return delta({}, reason)
}

export function completion(content: string | null, message: object = {}): object {
  return {
    id: 'chatcmpl-test',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content, ...message }, finish_reason: 'stop' }]
  }
}
