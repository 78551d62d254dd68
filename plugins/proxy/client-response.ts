import type { ServerResponse } from 'node:http'
import { errorBody } from '../../errors.ts'

export type Headers = Record<string, string>

/** Starts a stream; intermediaries are told not to gather it. */
export function startStream(client: ServerResponse, statusCode: number, headers: Headers): void {
  client.writeHead(statusCode, { ...headers, 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  // Usually the first bytes follow in the same turn of the event loop and go out in one packet.
  setImmediate(() => client.flushHeaders())
}

/** Sends a whole body. */
export function sendBody(client: ServerResponse, statusCode: number, headers: Headers, body: Buffer): void {
  client.writeHead(statusCode, { ...headers, 'content-length': String(body.length) })
  client.end(body)
}

/**
 * Tells the client that something failed: as a status of its own while there is still one to send, else
 * as an error event, at which official SDKs throw. An end mark never follows.
 */
export function sendError(
  client: ServerResponse,
  statusCode: number,
  headers: Headers,
  code: string,
  message: string
): void {
  const body = JSON.stringify(errorBody(statusCode, code, message))
  if (client.headersSent) {
    client.end(`data: ${body}\n\n`)
  } else {
    sendBody(client, statusCode, { ...headers, 'content-type': 'application/json' }, Buffer.from(body))
  }
}
