import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { type RunningApp, startApp } from './helper/app.ts'
import { eventually, onlyTurn, within } from './helper/endings.ts'
import { type RawClient, rawChat } from './helper/raw-client.ts'
import { DONE, delta, finish, type ScriptedUpstream, startSse, startUpstream } from './helper/upstream.ts'

const MIB = 1_048_576
/** More than the kernel's socket buffers on both sides can take together. */
const PIECES = 1_024
const PIECE = delta({ content: 'x'.repeat(MIB / 16) })
const TEXT_LENGTH = (MIB / 16) * PIECES

interface Flood {
  upstream: ScriptedUpstream
  running: RunningApp
  client: RawClient
  /** The service's own response to the client. */
  response: ServerResponse
  /** Bytes that the upstream got rid of, and whether it now waits for its reader. */
  poured: () => { bytes: number; waiting: boolean; hash: string }
}

/** A client that stopped reading after its first bytes, and an upstream that pours until nobody takes more. */
async function flood(t: Test, settings: Record<string, string> = {}): Promise<Flood> {
  const state = { bytes: 0, waiting: false }
  const hash = createHash('sha256')
  const upstream = await startUpstream(t, async (res) => {
    startSse(res)
    const pour = async (text: string) => {
      state.bytes += text.length
      hash.update(text)
      if (res.write(text)) return
      state.waiting = true
      await Promise.race([once(res, 'drain'), once(res, 'close')])
      state.waiting = false
    }
    for (let i = 0; i < PIECES && !res.destroyed; i += 1) await pour(PIECE)
    await pour(finish() + DONE)
    res.end()
  })
  const running = await startApp(t, {
    OPENAI_BASE_URL: upstream.url,
    MAX_ANSWER_BYTES: String(512 * MIB),
    DRAIN_TIMEOUT_MS: '0',
    ...settings
  })
  const request = once(running.app.server, 'request')
  const client = await rawChat(t, running.url, { stream: true }, { connection: 'close' })
  const [, response] = (await request) as [unknown, ServerResponse]
  await client.until('data:')
  client.socket.pause()
  const poured = () => ({ ...state, hash: hash.copy().digest('hex') })
  await stalled(state)
  return { upstream, running, client, response, poured }
}

/** Waits until the upstream has been stuck in one write for a while. */
async function stalled(state: { bytes: number; waiting: boolean }): Promise<void> {
  let seen = -1
  let since = performance.now()
  await eventually('the upstream stalls', () => {
    if (!state.waiting || state.bytes !== seen) {
      seen = state.bytes
      since = performance.now()
    }
    return performance.now() - since > 300
  })
}

t.test('a client that stops reading stalls the upstream, and gets every byte once it reads on', async (t) => {
  const { running, client, response, poured } = await flood(t, { UPSTREAM_IDLE_TIMEOUT_MS: '2000' })
  t.ok(poured().bytes < (TEXT_LENGTH * 3) / 4, `stalled after ${Math.round(poured().bytes / MIB)} MiB`)
  t.ok(response.writableLength <= MIB, `${response.writableLength} bytes wait in the service`)
  // An upstream that is made to wait is not silent: this is longer than its idle timeout.
  await new Promise((resolve) => setTimeout(resolve, 2_200))

  client.socket.resume()
  await client.closed
  const { bytes, hash } = poured()
  t.ok(bytes > TEXT_LENGTH)
  const body = unchunk(client.received())
  t.equal(body.length, bytes)
  t.equal(createHash('sha256').update(body).digest('hex'), hash, 'every byte arrived, unchanged')
  const turn = await onlyTurn(running)
  t.match(turn, { status: 'completed', finish_reason: 'stop' })
  t.equal(turn.assistant_text?.length, TEXT_LENGTH)
})

t.test('a client that stops reading and then leaves cancels the upstream', async (t) => {
  const { upstream, running, client } = await flood(t)
  client.socket.destroy()
  await within(1_000, 'the cancel', upstream.calls[0]?.cancelled as Promise<void>)
  const turn = await onlyTurn(running)
  t.match(turn, { status: 'incomplete', error: 'client_disconnect' })
  t.match(turn.assistant_text, /^x+$/)
})

t.test('a client that stops reading and then leaves holds nothing back under finish', async (t) => {
  const { running, client } = await flood(t, { ON_DISCONNECT: 'finish' })
  client.socket.destroy()
  const turn = await onlyTurn(running)
  t.match(turn, { status: 'completed', error: null })
  t.equal(turn.assistant_text?.length, TEXT_LENGTH)
})

t.test('a client that stops reading does not slow others', async (t) => {
  const { upstream, running } = await flood(t)
  upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'Hello' }) + finish() + DONE)
  }
  const res = await within(1_000, 'the other answer', running.chat({ stream: true }))
  t.match(await res.text(), '[DONE]')
})

/** The body of a response in the chunked coding; all of it is ASCII here. */
function unchunk(response: string): string {
  const body: string[] = []
  let at = response.indexOf('\r\n\r\n') + 4
  for (;;) {
    const lineEnd = response.indexOf('\r\n', at)
    const size = Number.parseInt(response.slice(at, lineEnd), 16)
    if (!(size > 0)) return body.join('')
    body.push(response.slice(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
