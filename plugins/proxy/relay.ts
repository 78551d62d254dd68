import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { isObject, parseJson } from '../../storage/json-value.ts'
import type { Persistence, TurnRef } from '../../storage/persistence.ts'
import type { AnswerReader } from './answer-reader.ts'
import { type Headers, sendBody, sendError, startStream } from './client-response.ts'
import { createClientWriter } from './client-writer.ts'
import { FAILURES, type Failure, type Notice, UNSAVED } from './endings.ts'
import { passedBack } from './headers.ts'
import { createIdleTimer } from './idle-timer.ts'
import type { Meter } from './meter.ts'
import { createSseReader } from './sse-reader.ts'
import type { Upstream, UpstreamRequest } from './upstream.ts'

export interface RelayContext {
  upstream: Upstream
  persistence: Persistence
  maxAnswerBytes: number
  headersTimeoutMs: number
  idleTimeoutMs: number
  /** Longest time for a whole answer; 0 = no limit. */
  maxAnswerMs: number
}

export interface RelayOptions {
  request: UpstreamRequest
  client: ServerResponse
  /** Our own response headers. */
  headers: Headers
  reader: AnswerReader
  /** The turn that the answer completes; null when nothing is recorded. */
  turn: TurnRef | null
  onDisconnect: 'abort' | 'finish'
  /** Largest answer, where it is not the context's. */
  maxBytes?: number
  /** Puts an error answer of the upstream in our own words; null leaves it as it came. */
  explainError?: (statusCode: number, body: string) => Notice | null
  /** Gets what went wrong, for the log; never a body or a secret. */
  onProblem: (message: string, cause: unknown) => void
  meter: Meter
}

/** An exchange under way. */
export interface Exchange {
  /** Resolves when the turn has been written and the client has all of its answer. Never rejects. */
  done: Promise<void>
  /** Ends the exchange now and keeps what has come. */
  shutdown(): void
  /** How much waits here for the client to take it. */
  bufferedBytes(): number
}

/** How a turn ends whose upstream says that it failed; the client gets that as it came. */
const FAILURE_OF = { broken: FAILURES.truncated, failed: FAILURES.answeredWithError }
/** How long a stream may go on after its end mark. */
const TAIL_MS = 1_000

/**
 * Passes one upstream answer on to the client as it comes, gathers it on the way, and writes it once, at the
 * end. The stream's last event, or the whole of a JSON answer, is held back until that write is durable.
 */
export function relay(context: RelayContext, options: RelayOptions): Exchange {
  const { client, reader, turn, meter, maxBytes = context.maxAnswerBytes } = options
  const { redaction } = context.upstream
  const { promise: done, resolve: resolveDone } = Promise.withResolvers<void>()
  const idle = createIdleTimer(() => fail(FAILURES.silent))
  const deadline = createIdleTimer(() => fail(FAILURES.tooLong))
  const writer = createClientWriter(client, onSlowClient, onDrained)
  let phase: 'waiting' | 'streaming' | 'collecting' | 'ending' | 'tail' | 'ended' = 'waiting'
  let statusCode = 0
  let headers = options.headers
  let terminated = false
  let upstreamEnded = false
  let hurried = false // the last bytes need not be waited for
  const isBroken = () => reader.failure === 'broken'
  const sse = createSseReader((data) => {
    terminated = reader.readEvent(data)
    return terminated
  })

  client.on('error', () => {}) // 'close' follows, and that is what counts
  client.on('close', () => {
    if (!client.writableFinished) onClientGone()
  })
  idle.start(context.headersTimeoutMs)
  deadline.start(context.maxAnswerMs)
  meter.dispatched()
  const call = context.upstream.call(options.request, { onHeaders, onData, onEnd, onError })
  if (client.destroyed) onClientGone() // it left while the question was being written

  function onHeaders(status: number, upstreamHeaders: IncomingHttpHeaders): void {
    meter.answered()
    statusCode = status
    headers = { ...passedBack(upstreamHeaders, redaction), ...options.headers }
    idle.start(context.idleTimeoutMs)
    if (status === 401 || status === 403) return fail(FAILURES.refused)
    const redirected = status >= 300 && status < 400
    const encoded = (upstreamHeaders['content-encoding']?.toLowerCase() ?? 'identity') !== 'identity'
    if (redirected || encoded) return fail(FAILURES.unusable)
    phase = 'collecting'
    if (status >= 400 || !headers['content-type']?.toLowerCase().startsWith('text/event-stream')) return
    phase = 'streaming'
    if (!client.destroyed) startStream(client, status, headers)
  }

  function onData(chunk: Buffer): void {
    idle.touch()
    meter.arrived()
    if (phase === 'tail') return writer.forward(chunk)
    if (isBroken()) return // whatever follows an error is not for the client
    const safe = phase === 'streaming' ? sse.push(chunk) : 0
    if (safe > 0) {
      writer.forward(safe === chunk.length ? chunk : chunk.subarray(0, safe))
      meter.sent('piece')
    }
    const end = isBroken() ? sse.position : chunk.length
    const heldBytes = safe < end ? writer.hold(chunk.subarray(safe, end)) : 0
    if (terminated && phase === 'streaming') finishStream()
    else if (Math.max(heldBytes, reader.size) > maxBytes) fail(FAILURES.tooLarge)
  }

  function onEnd(): void {
    upstreamEnded = true
    if (phase === 'collecting') return finishBody()
    if (phase === 'tail') return endTail()
    if (phase !== 'streaming') return
    sse.end()
    finishStream()
  }

  function onError(cause: Error): void {
    upstreamEnded = true
    if (phase !== 'tail') options.onProblem('the upstream call broke', cause)
    fail(phase === 'waiting' ? FAILURES.unreachable : FAILURES.truncated)
  }

  function onClientGone(): void {
    if (options.onDisconnect === 'abort' || phase === 'tail') return fail(FAILURES.disconnect)
    onDrained()
  }

  function onSlowClient(): void {
    call.pause()
    idle.pause() // the upstream is not to blame for this silence
  }

  function onDrained(): void {
    call.resume()
    idle.resume()
  }

  function finishStream(): void {
    if (reader.failure !== null) settle(FAILURE_OF[reader.failure], releaseRest)
    else if (reader.finished) settle(null, releaseRest)
    else fail(FAILURES.truncated)
  }

  function finishBody(): void {
    const body = writer.take()
    const isError = () => statusCode >= 400 || reader.failure !== null
    const reply = () => sendBody(client, statusCode, headers, isError() ? redaction.bytes(body) : body)
    const json = statusCode < 400 ? parseJson(body.toString('utf8')) : undefined
    const notice = statusCode >= 400 ? options.explainError?.(statusCode, body.toString('utf8')) : null
    if (notice) settle(FAILURES.answeredWithError, () => tell(notice))
    else if (statusCode >= 400) settle(FAILURES.answeredWithError, reply)
    else if (isObject(json) && reader.readBody(json))
      settle(reader.failure === null ? null : FAILURE_OF[reader.failure], reply)
    else fail(FAILURES.unusable)
  }

  /** Ends the turn early. What was gathered is kept, and an answer that had its end is still a whole one. */
  function fail(failure: Failure): void {
    if (phase === 'tail') return endTail()
    call.cancel()
    upstreamEnded = true
    const whole = phase === 'streaming' && reader.finished && failure !== FAILURES.tooLarge
    if (whole) settle(null, releaseRest)
    else settle(failure, () => tell(failure))
  }

  /** The one write that ends the turn, then the client's last bytes. Only the first end counts. */
  async function settle(failure: Failure | null, reply: () => void): Promise<void> {
    if (phase === 'ending' || phase === 'tail' || phase === 'ended') return
    phase = 'ending'
    if (failure) meter.arrived()
    meter.ended(failure)
    idle.stop()
    deadline.stop()
    let lastWords = reply
    try {
      await write(failure)
    } catch (cause) {
      options.onProblem('the answer could not be stored', cause)
      if (!failure) lastWords = () => tell(UNSAVED)
    }
    phase = 'ended'
    if (!client.destroyed) {
      writer.flush()
      lastWords()
      meter.sent('end')
    }
    if (phase === 'ended') end()
  }

  async function write(failure: Failure | null): Promise<void> {
    if (turn === null) return
    const answer = reader.failure === null ? reader.answer() : redaction.json(reader.answer())
    if (failure === null) await context.persistence.recordAssistantFinal(turn, answer)
    else await context.persistence.markError(turn, failure, answer)
  }

  function tell({ statusCode: status, code, message, incurable }: Notice): void {
    const retry: Headers = incurable ? { 'x-should-retry': 'false' } : {}
    sendError(client, status, { ...options.headers, ...retry }, code, message)
  }

  /** The end mark, and what the upstream still sends after it. */
  function releaseRest(): void {
    if (reader.failure !== null) writer.hold(redaction.bytes(writer.take()))
    writer.release()
    if (upstreamEnded || isBroken()) {
      client.end()
    } else {
      phase = 'tail'
      setTimeout(endTail, TAIL_MS).unref()
    }
  }

  function endTail(): void {
    if (phase !== 'tail') return
    phase = 'ended'
    writer.flush()
    client.end()
    end()
  }

  function end(): void {
    call.cancel()
    if (hurried || client.writableFinished || client.destroyed) return resolveDone()
    client.once('finish', resolveDone).once('close', resolveDone)
  }

  function shutdown(): void {
    hurried = true
    if (phase === 'ended') resolveDone()
    else fail(FAILURES.shutdown)
  }

  return { done, shutdown, bufferedBytes: () => writer.bufferedBytes }
}
