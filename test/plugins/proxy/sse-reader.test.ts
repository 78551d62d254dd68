import fc from 'fast-check'
import { Stream } from 'openai/core/streaming'
import t from 'tap'
import { createSseReader } from '../../../plugins/proxy/sse-reader.ts'
import { answers } from '../../fixtures/sse/answers.ts'
import { bigLine, framing } from '../../fixtures/sse/framing.ts'
import { readWhole } from '../../helper/sse-oracle.ts'

const FIXTURES = [...framing, ...answers]

/** Reads a stream in pieces and passes it on as the relay does. */
function read(pieces: Buffer[]) {
  const events: string[] = []
  const reader = createSseReader((data) => {
    events.push(data)
    return data.startsWith('[DONE]')
  })
  const forwarded: Buffer[] = []
  const forwardedAfter: number[] = []
  let held: Buffer[] = []
  let length = 0
  for (const piece of pieces) {
    const safe = reader.push(piece)
    if (safe > 0) {
      const released = [...held, piece.subarray(0, safe)]
      forwarded.push(...released)
      for (const bytes of released) length += bytes.length
      held = []
    }
    held.push(piece.subarray(safe))
    forwardedAfter.push(length)
  }
  reader.end()
  return { events, forwarded: Buffer.concat(forwarded), held: Buffer.concat(held), forwardedAfter }
}

/** What is wrong with reading `bytes` in these pieces; undefined when nothing is. */
function fault(bytes: Buffer, pieces: Buffer[], expected = readWhole(bytes)): string | undefined {
  const { events, forwarded, held, forwardedAfter } = read(pieces)
  const at = `in pieces of ${pieces.map((piece) => piece.length)}`
  if (JSON.stringify(events) !== JSON.stringify(expected.events)) return `other events ${at}`
  if (!Buffer.concat([forwarded, held]).equals(bytes)) return `bytes lost ${at}`
  // As the second line of an event's data it is no end mark.
  const marked = /^data: ?\[DONE\]/m.test(forwarded.toString())
  if (marked && readWhole(forwarded).events.at(-1)?.startsWith('[DONE]')) return `[DONE] passed on ${at}`
  let consumed = 0
  for (const [i, piece] of pieces.entries()) {
    consumed += piece.length
    const due = expected.boundaries.findLast((boundary) => boundary <= consumed)
    if (forwardedAfter[i] !== due)
      return `${forwardedAfter[i]} bytes passed on of ${consumed}, not ${due}, ${at}`
  }
}

function cut(bytes: Buffer, offsets: number[]): Buffer[] {
  const ends = [...offsets, bytes.length]
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
}

function inPiecesOf(size: number, bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size)
  )
}

t.test('wherever a stream is cut, the same is read, and whole events go on at once', async (t) => {
  for (const { name, bytes } of FIXTURES) {
    const expected = readWhole(bytes)
    const offsets = Array.from({ length: bytes.length + 1 }, (_, offset) => offset)
    const inTwo = offsets.map((offset) => cut(bytes, [offset]))
    const withNothingBetween = offsets.map((offset) => cut(bytes, [offset, offset]))
    const ways = [[bytes], inPiecesOf(1, bytes), ...inTwo, ...withNothingBetween]
    const faults = ways.flatMap((pieces) => fault(bytes, pieces, expected) ?? [])
    t.strictSame(faults, [], name)
  }
})

t.test('the same is true of many cuts', async (t) => {
  for (const { name, bytes } of FIXTURES) {
    const expected = readWhole(bytes)
    const offsets = fc.array(fc.nat(bytes.length)).map((list) => list.sort((a, b) => a - b))
    t.doesNotThrow(
      () => fc.assert(fc.property(offsets, (at) => fault(bytes, cut(bytes, at), expected) === undefined)),
      name
    )
  }
})

t.test('the same is true of streams nobody would write', async (t) => {
  const words = [
    'data',
    'data: ',
    'data: [DONE]',
    '[DONE]',
    ':',
    ' ',
    'é',
    '😀',
    'event: x',
    '\uFEFF',
    '\r',
    '\n',
    '\r\n',
    '\n\n'
  ]
  const bytes = fc
    .array(
      fc.oneof(
        fc.constantFrom(...words).map((word) => Buffer.from(word)),
        fc.constant(Buffer.from([0xe2]))
      )
    )
    .map((list) => Buffer.concat(list))
  const pieces = fc.tuple(bytes, fc.array(fc.nat(60))).map(([all, at]) => ({
    all,
    offsets: at.map((offset) => Math.min(offset, all.length)).sort((a, b) => a - b)
  }))
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(pieces, ({ all, offsets }) => {
        const found = fault(all, cut(all, offsets))
        if (found !== undefined) throw new Error(found)
      }),
      { numRuns: 2_000 }
    )
  )
})

t.test("the official SDK's decoder reads the same events", async (t) => {
  for (const { name, bytes } of FIXTURES.filter(({ sdkDiffers }) => !sdkDiffers)) {
    const response = new Response(new Uint8Array(bytes))
    const seen: unknown[] = []
    for await (const event of Stream.fromSSEResponse(response, new AbortController())) seen.push(event)
    const mine = read([bytes]).events.filter((data) => !data.startsWith('[DONE]'))
    t.strictSame(
      mine.map((data) => JSON.parse(data)),
      seen,
      name
    )
  }
})

t.test('after the end mark nothing is read', async (t) => {
  const { events, forwarded } = read([Buffer.from('data: a\n\ndata: [DONE]\n'), Buffer.from('\ndata: b\n\n')])
  t.strictSame(events, ['a', '[DONE]'])
  t.equal(forwarded.toString(), 'data: a\n\n')
})

t.test('[DONE] inside a longer event is not the end mark', async (t) => {
  t.strictSame(read([Buffer.from('data: a\ndata: [DONE]\n\ndata: b\n\n')]).events, ['a\n[DONE]', 'b'])
})

/** How many bytes were searched and copied while `action` ran. */
function work(action: () => void): number {
  const { indexOf } = Buffer.prototype
  const { concat } = Buffer
  let bytes = 0
  Buffer.prototype.indexOf = function (this: Buffer, value: string | number, from: number = 0) {
    const found = indexOf.call(this, value, from)
    bytes += (found === -1 ? this.length : found + 1) - from
    return found
  }
  Buffer.concat = (list, total) => {
    const whole = concat(list, total)
    bytes += whole.length
    return whole
  }
  try {
    action()
  } finally {
    Buffer.prototype.indexOf = indexOf
    Buffer.concat = concat
  }
  return bytes
}

t.test('the work grows with the bytes alone, not with how they are cut or how long a line is', async (t) => {
  const size = 65_536
  const cases = {
    'one line of 400 KB in pieces of 100 bytes': inPiecesOf(100, bigLine.bytes),
    'one line of 400 KB in pieces of 1 KB': inPiecesOf(1_024, bigLine.bytes),
    'one line of 400 KB at once': [bigLine.bytes],
    'short lines that end in LF': [Buffer.from('a\n'.repeat(size / 2))],
    'short lines that end in CR': [Buffer.from('a\r'.repeat(size / 2))],
    'short lines that end in CRLF': [Buffer.from(':\r\n'.repeat(size / 4))],
    'blank lines': [Buffer.from('\n'.repeat(size))]
  }
  for (const [name, pieces] of Object.entries(cases)) {
    const total = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const reader = createSseReader(() => false)
    const done = work(() => {
      for (const piece of pieces) reader.push(piece)
      reader.end()
    })
    t.ok(done >= total, `${name}: counted`)
    t.ok(done <= 4 * total, `${name}: ${done} bytes of work for ${total}`)
  }
})

t.test('a line of 400 KB is read whole, however it is cut', async (t) => {
  for (const size of [100, 1_024, 65_536]) {
    const { events } = read(inPiecesOf(size, bigLine.bytes))
    t.strictSame(events, readWhole(bigLine.bytes).events)
  }
})
