import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type RunningApp, startApp } from '../helper/app.ts'
import { eventually } from '../helper/endings.ts'
import { rawChat } from '../helper/raw-client.ts'
import { DONE, delta, finish, startSse, startUpstream, type UpstreamScript } from '../helper/upstream.ts'
import { ask, slowAnswer } from './asking.ts'

const KIB = 1_024
const MOST_BUFFERED = 256 * KIB
const ANSWER_BYTES = 50 * KIB * KIB
const PIECE = 'x'.repeat(16 * KIB)
const NEIGHBOURS = 20
const ROUNDS = 6
const ROUND_MS = 3_000
const BIG = 'the big one'

/** 50 MB as fast as they are taken for the client that never reads, a short answer over a little time for the others. */
const script: UpstreamScript = async (res, call, req) => {
  if (!call.body.includes(BIG)) return slowAnswer(res, call, req)
  startSse(res)
  const over = new AbortController()
  res.on('close', () => over.abort())
  try {
    for (let sent = 0; sent < ANSWER_BYTES; sent += PIECE.length) {
      if (!res.write(delta({ content: PIECE }))) await once(res, 'drain', over)
    }
    res.end(finish() + DONE)
  } catch {
    // The service wants no more.
  }
}

/** How long each answer took that the neighbours got, in ms, while all of them ask again and again. */
async function neighbours(url: string): Promise<number[]> {
  const until = performance.now() + ROUND_MS
  const times: number[] = []
  const one = async (neighbour: number) => {
    for (let turn = 0; performance.now() < until; turn += 1) {
      const since = performance.now()
      const { done } = await ask(url, `neighbour ${neighbour}, turn ${turn}`)
      if (!done) throw new Error('a neighbour got no whole answer')
      times.push(performance.now() - since)
    }
  }
  await Promise.all(Array.from({ length: NEIGHBOURS }, (_, neighbour) => one(neighbour)))
  return times
}

/**
 * What the service keeps for one client, in bytes: what was given to its response and has not gone to the kernel, and
 * what has come from the upstream and was not taken yet. Not the text that is gathered for the turn.
 */
function bufferedFor({ writableLength }: ServerResponse, upstreamPort: number): number {
  return (
    Math.max(...fromUpstream(upstreamPort).map(({ readableLength }) => readableLength), 0) + writableLength
  )
}

/** The service's own connections to the upstream, which runs in this process too. */
function fromUpstream(port: number): Socket[] {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): unknown[] }
  return handles
    .call(process)
    .filter((handle): handle is Socket => handle instanceof Socket && handle.remotePort === port)
}

/** A client that never reads. `most` is the most that was buffered for it, looked at each time the service reads on. */
async function neverReads(t: Test, { app, url }: RunningApp, upstreamPort: number) {
  const asked = once(app.server, 'request')
  const client = await rawChat(t, url, { stream: true, messages: [{ role: 'user', content: BIG }] })
  client.socket.pause()
  const [, response] = (await asked) as [unknown, ServerResponse]
  const state = { most: 0, buffered: 0 }
  const look = () => {
    state.buffered = bufferedFor(response, upstreamPort)
    state.most = Math.max(state.most, state.buffered)
  }
  const write = response.write.bind(response) as (...given: unknown[]) => boolean
  response.write = ((...given: unknown[]) => {
    const taken = write(...given)
    look()
    return taken
  }) as typeof response.write
  await eventually('its answer stalls', async () => {
    const before = response.socket?.bytesWritten
    await sleep(300)
    return response.writableNeedDrain && response.socket?.bytesWritten === before
  })
  look()
  t.ok(fromUpstream(upstreamPort).length > 0, 'the connection to the upstream is looked at')
  return { ...client, state, look }
}

function percentile(times: number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) * 10) / 10
}

t.test('for a client that never reads at most 256 KiB wait in the service', async (t) => {
  const upstream = await startUpstream(t, script)
  const running = await startApp(t, {
    OPENAI_BASE_URL: upstream.url,
    MAX_ANSWER_BYTES: String(2 * ANSWER_BYTES),
    CLIENT_IDLE_TIMEOUT_MS: '0', // it is to stay as long as the test looks
    DRAIN_TIMEOUT_MS: '0'
  })
  await neighbours(running.url) // everything is warm
  const times: Record<'alone' | 'beside', number[]> = { alone: [], beside: [] }
  let most = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    times.alone.push(...(await neighbours(running.url)))
    const slow = await neverReads(t, running, Number(new URL(upstream.url).port))
    const memory = process.memoryUsage()
    times.beside.push(...(await neighbours(running.url)))
    slow.look()
    const grown = process.memoryUsage().arrayBuffers - memory.arrayBuffers
    most = Math.max(most, slow.state.most)
    process.stderr.write(
      `round ${round + 1}: ${slow.state.buffered} bytes wait, ${slow.state.most} at most; ` +
        `array buffers of the process ${Math.round(grown / KIB)} KiB more\n`
    )
    t.equal(running.app.streams.open, 1, 'it is still there')
    slow.socket.destroy()
    await eventually('it is gone', () => running.app.streams.open === 0)
  }
  for (const [how, list] of Object.entries(times)) {
    const [p50, p99] = [percentile(list, 0.5), percentile(list, 0.99)]
    process.stderr.write(
      `${NEIGHBOURS} neighbours ${how}: ${list.length} answers, p50 ${p50} ms, p99 ${p99} ms\n`
    )
  }
  t.ok(most > 0, `${most} bytes wait`)
  t.ok(most <= MOST_BUFFERED)
})
