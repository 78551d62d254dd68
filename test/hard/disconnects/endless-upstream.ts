import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { completion, DONE, delta, finish, startSse, startUpstream } from '../../helper/upstream.ts'
import { questionOf } from '../asking.ts'

export interface UpstreamCall {
  /** When the request came and when its connection or answer ended, as `performance.now()`. */
  beganAt: number
  endedAt: number | null
}

const THINKING_MS = 20
const PIECE_MS = 40
/** An answer that nobody cancels goes on for so long. */
const MAX_ANSWER_MS = 30_000

/**
 * An upstream whose answers end only when they are cancelled, but for questions that begin with `end`. `calls` is by
 * question.
 */
export async function startEndless(t: Test) {
  const calls = new Map<string, UpstreamCall>()
  const sockets = new Set<object>()
  const upstream = await startUpstream(t, async (res, { body }, req) => {
    upstream.calls.length = 0 // there will be many
    const { socket } = req
    if (!sockets.has(socket)) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    const question = questionOf(body)
    const call: UpstreamCall = { beganAt: performance.now(), endedAt: null }
    calls.set(question, call)
    res.once('close', () => {
      call.endedAt = performance.now()
    })
    const wantsStream = (JSON.parse(body) as { stream: boolean }).stream
    const ends = question.startsWith('end')
    const deadline = call.beganAt + MAX_ANSWER_MS
    await sleep(THINKING_MS)
    if (res.destroyed) return
    if (wantsStream) startSse(res)
    else res.writeHead(200, { 'content-type': 'application/json' })
    const whole = JSON.stringify(completion(`${question} Grüße 😀 ${'x'.repeat(1_000)}`))
    for (let piece = 0; !res.destroyed && performance.now() < deadline; piece++) {
      res.write(
        wantsStream ? delta({ content: `${piece} Grüße 😀 ` }) : piece === 0 ? whole.slice(0, 900) : ' '
      )
      if (ends && piece === 5) break
      await sleep(PIECE_MS)
    }
    res.end(wantsStream ? finish() + DONE : whole.slice(900))
  })
  return { url: upstream.url, calls, openSockets: () => sockets.size }
}
