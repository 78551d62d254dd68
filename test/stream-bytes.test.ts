import type { ServerResponse } from 'node:http'
import { setImmediate as nextTick } from 'node:timers/promises'
import t from 'tap'
import { answers } from './fixtures/sse/answers.ts'
import { chunk, events } from './fixtures/sse/fixture.ts'
import { bigLine, framing } from './fixtures/sse/framing.ts'
import { startApp } from './helper/app.ts'
import { startSse, startUpstream } from './helper/upstream.ts'

/** Sends pieces one by one: each is an HTTP chunk of its own, and most travel in a packet of their own. */
async function sendPieces(res: ServerResponse, pieces: Buffer[]): Promise<void> {
  res.socket?.setNoDelay(true)
  startSse(res)
  for (const piece of pieces) {
    res.write(piece)
    await nextTick()
  }
  res.end()
}

/** `bytes` cut after each of these texts, wherever they occur. */
function cutAfter(bytes: Buffer, ...texts: string[]): Buffer[] {
  const ends = texts.flatMap((text) => {
    const found: number[] = []
    for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1))
      found.push(at + text.length)
    return found
  })
  const cuts = [...new Set([...ends, bytes.length])].sort((a, b) => a - b)
  return cuts.map((end, i) => bytes.subarray(cuts[i - 1] ?? 0, end))
}

function inPiecesOf(size: number, bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size)
  )
}

const SPLITS: Record<string, (bytes: Buffer) => Buffer[]> = {
  whole: (bytes) => [bytes],
  'byte by byte': (bytes) => inPiecesOf(bytes.length > 10_000 ? 1_024 : 1, bytes),
  'inside [DONE]': (bytes) => cutAfter(bytes, '[DO', '[DONE]'),
  'after every CR': (bytes) => cutAfter(bytes, '\r')
}

t.test('bytes reach the client as they came, and the turn is exact', async (t) => {
  const upstream = await startUpstream(t)
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  for (const { name, bytes, n, stored } of [...framing, ...answers, bigLine]) {
    for (const [way, split] of Object.entries(SPLITS)) {
      const pieces = split(bytes)
      if (pieces.length === 1 && way !== 'whole') continue
      upstream.script = (res) => sendPieces(res, pieces)
      const res = await chat({ stream: true, ...(n && { n }) })
      const received = Buffer.from(await res.arrayBuffer())
      const [turn] = await turnsOf(res.headers.get('x-conversation-id') ?? '')
      t.ok(received.equals(bytes), `${name}, ${way}: the bytes`)
      const { assistant_text, finish_reason, completion_id, detail, status, error } = turn ?? {}
      t.strictSame(
        { assistant_text, finish_reason, completion_id, detail, status, error },
        { ...stored, status: 'completed', error: null },
        `${name}, ${way}: the turn`
      )
    }
  }
})

t.test('what follows an error event does not reach the client, however the stream is cut', async (t) => {
  const upstream = await startUpstream(t)
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const seen = events(chunk({ content: 'Hel' }), '{"error":{"message":"overloaded"}}')
  const bytes = Buffer.from(`${seen}${events('[DONE]')}`)
  for (const [way, split] of Object.entries({ ...SPLITS, 'after every event': cutAfterEvents })) {
    upstream.script = (res) => sendPieces(res, split(bytes))
    const res = await chat({ stream: true })
    t.equal(await res.text(), seen, way)
    const [turn] = await turnsOf(res.headers.get('x-conversation-id') ?? '')
    t.match(turn, { assistant_text: 'Hel', status: 'incomplete', error: 'upstream_truncated' }, way)
  }
})

function cutAfterEvents(bytes: Buffer): Buffer[] {
  return cutAfter(bytes, '\n\n')
}
