import fc from 'fast-check'
import t from 'tap'
import { answers } from '../fixtures/sse/answers.ts'
import { bigLine, framing } from '../fixtures/sse/framing.ts'
import { allOf, HI, startClient } from '../helper/client.ts'
import { holds } from '../helper/property.ts'
import { readWhole } from '../helper/sse-oracle.ts'
import { startSse } from '../helper/upstream.ts'

type CreateReader = (onData: (data: string) => void) => { push(bytes: Uint8Array): void; end(): void }
const parts: string = '../../client/sse.js' // a part has no declaration of its own
const { createSseReader } = (await import(parts)) as { createSseReader: CreateReader }

const all = [...framing, ...answers, bigLine]

t.test('every stream gives the client the text that the turn has', async (t) => {
  const { client, upstream } = await startClient(t)
  for (const { name, bytes, n, stored } of all) {
    upstream.script = (res) => {
      startSse(res)
      res.end(bytes)
    }
    const stream = client.chat.stream({ messages: HI, ...(n && { n }) })
    const text = (await allOf(stream)).join('')
    const turn = await stream.turn()
    t.equal(turn?.assistant_text, stored.assistant_text, `${name}: the turn`)
    t.equal(text, stored.assistant_text ?? '', `${name}: the client`)
  }
})

/** The data of all events, read in these pieces. */
function eventsIn(pieces: Uint8Array[]): string[] {
  const seen: string[] = []
  const reader = createSseReader((data) => seen.push(data))
  for (const piece of pieces) reader.push(piece)
  reader.end()
  return seen
}

function cutAt(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const cuts = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return cuts.map((end, i) => bytes.subarray(cuts[i - 1] ?? 0, end))
}

t.test('where a stream is cut makes no difference', async (t) => {
  const cuts = fc.array(fc.nat(), { maxLength: 40 })
  const small = all.filter((fixture) => fixture !== bigLine)
  for (const { name, bytes } of small) {
    const byteByByte = Array.from(bytes, (byte) => Uint8Array.of(byte))
    t.strictSame(eventsIn(byteByByte), eventsIn([bytes]), name)
  }
  const property = fc.property(fc.constantFrom(...all), cuts, ({ bytes }, places) => {
    const [whole, cut] = [eventsIn([bytes]), eventsIn(cutAt(bytes, places))]
    return whole.length === cut.length && whole.every((data, i) => data === cut[i])
  })
  await holds(t, property, 500)
})

t.test('any text is read as the standard says, however it is cut', async (t) => {
  const part = fc.constantFrom(
    'data',
    'data:',
    'data: ',
    ':',
    ' ',
    '\r',
    '\n',
    '\r\n',
    '\n\n',
    'x',
    'é',
    '😀',
    '\uFEFF'
  )
  const property = fc.property(
    fc.array(part, { maxLength: 30 }),
    fc.array(fc.nat(), { maxLength: 10 }),
    (parts, places) => {
      const bytes = Buffer.from(parts.join(''))
      const apart = Array.from(bytes, (byte) => [Uint8Array.of(byte), new Uint8Array()]).flat()
      const reads = [cutAt(bytes, places), apart].map((pieces) => JSON.stringify(eventsIn(pieces)))
      return reads.every((read) => read === JSON.stringify(readWhole(bytes).events))
    }
  )
  await holds(t, property, 3_000)
})

t.test('a long line takes time in proportion to its length, however small its pieces', async (t) => {
  const timeFor = (copies: number) => {
    const bytes = Buffer.from(`data: ${'0123456789'.repeat(40_000 * copies)}\n\n`)
    const pieces = Array.from({ length: Math.ceil(bytes.length / 100) }, (_, i) =>
      bytes.subarray(i * 100, (i + 1) * 100)
    )
    const start = performance.now()
    t.equal(eventsIn(pieces)[0]?.length, 400_000 * copies)
    return performance.now() - start
  }
  timeFor(1)
  const [one, eight] = [timeFor(1), timeFor(8)]
  t.ok(eight < 40 * Math.max(one, 2), `400 KB: ${one.toFixed(1)} ms, 3.2 MB: ${eight.toFixed(1)} ms`)
})
