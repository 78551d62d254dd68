import type { IncomingHttpHeaders } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { createRedaction, type Redaction } from './redaction.ts'

export interface UpstreamListener {
  onHeaders(statusCode: number, headers: IncomingHttpHeaders): void
  onData(chunk: Buffer): void
  onEnd(): void
  /** The call broke before its end; not called after `cancel`. */
  onError(err: Error): void
}

/** A call under way. */
export interface UpstreamCall {
  pause(): void
  resume(): void
  /** Ends the call; the listener hears nothing more. */
  cancel(): void
}

export interface UpstreamRequest {
  method: 'GET' | 'POST'
  /** Below the base URL, with a leading slash and any query. */
  path: string
  body?: Buffer
}

export interface Upstream {
  call(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall
  /** For what it says of a request. */
  readonly redaction: Redaction
  close(): Promise<void>
}

/**
 * The API that really answers. Its host comes from configuration alone, redirects are not followed, and no
 * header of the client is passed on. Timeouts are the caller's.
 */
export function createUpstream(baseUrl: string, apiKey: string | undefined): Upstream {
  const { origin, pathname } = new URL(baseUrl)
  const basePath = pathname.replace(/\/+$/, '')
  const pool = new Pool(origin, { headersTimeout: 0, bodyTimeout: 0 })
  const headers = {
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'identity',
    'user-agent': 'turnkeeper',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` })
  }

  return {
    call({ method, path, body }, listener) {
      const call = new Call(listener)
      const withBody = body && { body, headers: { ...headers, 'content-type': 'application/json' } }
      pool.dispatch({ method, path: basePath + path, headers, ...withBody }, call)
      return call
    },
    redaction: createRedaction(apiKey),
    close: () => pool.destroy()
  }
}

const CANCELLED = new Error('cancelled')

class Call implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #listener: UpstreamListener
  #controller: Dispatcher.DispatchController | undefined
  #cancelled = false

  constructor(listener: UpstreamListener) {
    this.#listener = listener
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  cancel(): void {
    this.#cancelled = true
    this.#controller?.abort(CANCELLED)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#cancelled) controller.abort(CANCELLED)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders
  ): void {
    if (!this.#cancelled && statusCode >= 200) this.#listener.onHeaders(statusCode, headers)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#cancelled) this.#listener.onData(chunk)
  }

  onResponseEnd(): void {
    if (!this.#cancelled) this.#listener.onEnd()
  }

  onResponseError(_controller: Dispatcher.DispatchController, err: Error): void {
    // undici may report a call that it refuses while it is still being made.
    queueMicrotask(() => {
      if (!this.#cancelled) this.#listener.onError(err)
    })
  }
}
