import { ReadableStream } from 'node:stream/web'
import t from 'tap'
import { startApp } from './helper/app.ts'
import { endsInErrorEvent, exchange, isErrorBody, sdkThrows, within } from './helper/endings.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  startSse,
  startUpstream,
  type UpstreamScript
} from './helper/upstream.ts'

const TOO_LARGE = { status: 'incomplete', error: 'answer_too_large', finish_reason: null }
const settings = { MAX_ANSWER_BYTES: '1000' }
const PIECE = delta({ content: 'x'.repeat(100) })

t.test('a stream beyond MAX_ANSWER_BYTES ends in an error event, with what came of it kept', async (t) => {
  const script: UpstreamScript = async (res) => {
    startSse(res)
    for (let sent = 0; sent < 50; sent += 1) await new Promise((resolve) => res.write(PIECE, resolve))
  }
  const { status, text, turn, call, url } = await exchange(t, script, { body: { stream: true }, settings })
  t.equal(status, 200)
  const pieces = (turn.assistant_text ?? '').length / 100
  t.ok(pieces >= 10 && pieces < 50, 'the text was kept up to the limit')
  t.equal(turn.assistant_text, 'x'.repeat(pieces * 100))
  endsInErrorEvent(t, text, PIECE.repeat(pieces), 'answer_too_large')
  t.match(turn, TOO_LARGE)
  await within(1_000, 'the cancel', call.cancelled)
  await sdkThrows(t, url, 'answer_too_large')
})

t.test(
  'a stream that is one line without an end is cut off too, and none of the line is passed on',
  async (t) => {
    const hello = delta({ content: 'Hello' })
    const script: UpstreamScript = (res) => {
      startSse(res)
      res.write(`${hello}data: `)
      res.write('x'.repeat(5_000))
    }
    const { text, turn, call } = await exchange(t, script, { body: { stream: true }, settings })
    endsInErrorEvent(t, text, hello, 'answer_too_large')
    t.match(turn, { ...TOO_LARGE, assistant_text: 'Hello' })
    await within(1_000, 'the cancel', call.cancelled)
  }
)

t.test('tool calls and reasoning count as much as text', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    for (let i = 0; i < 10; i += 1) {
      res.write(delta({ reasoning_content: 'y'.repeat(100) }))
      res.write(delta({ tool_calls: [{ index: 0, function: { arguments: 'z'.repeat(100) } }] }))
    }
  }
  const { text, turn, call } = await exchange(t, script, { body: { stream: true }, settings })
  t.match(text, 'answer_too_large')
  t.match(turn, TOO_LARGE)
  await within(1_000, 'the cancel', call.cancelled)
})

t.test('what is only passed on, such as comments, does not count', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.end(': still thinking\n\n'.repeat(500) + delta({ content: 'Hello' }) + finish() + DONE)
  }
  const { turn } = await exchange(t, script, { body: { stream: true }, settings })
  t.match(turn, { status: 'completed', assistant_text: 'Hello' })
})

/** A JSON answer of exactly so many bytes. */
const answerOf = (bytes: number): string => {
  const padding = bytes - JSON.stringify(completion('')).length
  return JSON.stringify(completion('x'.repeat(padding)))
}

t.test('a JSON answer of exactly MAX_ANSWER_BYTES is passed on', async (t) => {
  const script: UpstreamScript = (res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(answerOf(1_000))
  }
  const { status, text, turn } = await exchange(t, script, { settings })
  t.equal(status, 200)
  t.equal(text, answerOf(1_000))
  t.match(turn, { status: 'completed', error: null })
})

t.test('a JSON answer of one byte more is a 502', async (t) => {
  const script: UpstreamScript = (res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.write(answerOf(1_001))
  }
  const { status, text, turn, call } = await exchange(t, script, { settings })
  t.equal(status, 502)
  isErrorBody(t, text, 'answer_too_large')
  t.match(turn, { ...TOO_LARGE, assistant_text: null })
  await within(1_000, 'the cancel', call.cancelled)
})

t.test('a request beyond MAX_REQUEST_BYTES is a 413: nothing is recorded, nobody is called', async (t) => {
  const upstream = await startUpstream(t)
  const limits = { OPENAI_BASE_URL: upstream.url, MAX_REQUEST_BYTES: '1000' }
  const { url, chat } = await startApp(t, limits)
  const content = 'x'.repeat(1_000)
  const declared = await chat({ messages: [{ role: 'user', content }] })
  t.equal(declared.status, 413)
  isErrorBody(t, await declared.text(), 'request_too_large', 'invalid_request_error')

  const chunked = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: ReadableStream.from([Buffer.from('{"messages":[{"role":"user","content":"'), Buffer.from(content)]),
    duplex: 'half'
  } as unknown as RequestInit)
  t.equal(chunked.status, 413)
  isErrorBody(t, await chunked.text(), 'request_too_large', 'invalid_request_error')

  t.equal(upstream.calls.length, 0)
  t.match(await (await fetch(`${url}/v1/conversations`)).json(), { data: [] })

  const room = 1_000 - JSON.stringify({ model: 'm', messages: [{ role: 'user', content: '' }] }).length
  const fitting = await chat({ messages: [{ role: 'user', content: 'x'.repeat(room) }] })
  t.equal(fitting.status, 200, 'a body of exactly the limit is let in')
})
