import t from 'tap'
import { endsInErrorEvent, exchange, within } from './helper/endings.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  sendJson,
  startSse,
  type UpstreamScript
} from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const WORLD = delta({ content: ' world' })
const choice = (index: number, content: string, reason: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index, delta: { content }, finish_reason: reason }] })}\n\n`

const WHOLE = { status: 'completed', error: null, assistant_text: 'Hello world', finish_reason: 'stop' }

const streams: { title: string; sent: string; body?: object; row?: object }[] = [
  { title: 'with [DONE]', sent: HELLO + WORLD + finish() + DONE },
  { title: 'with a finish reason and no [DONE]', sent: HELLO + WORLD + finish() },
  {
    title: 'cut off by its own length limit',
    sent: HELLO + WORLD + finish('length') + DONE,
    row: { finish_reason: 'length' }
  },
  {
    title: 'with [DONE] and no finish reason',
    sent: HELLO + WORLD + DONE,
    row: { finish_reason: null }
  },
  {
    title: 'with [DONE] and no blank line after it',
    sent: `${HELLO}${WORLD}${finish()}data: [DONE]`
  },
  {
    title: 'with a finish reason for each of two choices and no [DONE]',
    body: { n: 2 },
    sent: choice(0, 'Hello world') + choice(1, 'Good day') + choice(1, '', 'length') + choice(0, '', 'stop'),
    row: { detail: { choices: [{ index: 1, message: { content: 'Good day' }, finish_reason: 'length' }] } }
  }
]

for (const { title, sent, body, row } of streams) {
  t.test(`a stream that ended ${title} is completed and passed on unchanged`, async (t) => {
    const script: UpstreamScript = (res) => {
      startSse(res)
      res.end(sent)
    }
    const { status, text, turn, calls } = await exchange(t, script, { body: { stream: true, ...body } })
    t.equal(status, 200)
    t.equal(text, sent)
    t.match(turn, { ...WHOLE, ...row })
    t.equal(calls.length, 1)
  })
}

t.test('a stream in which only one of two choices finished is truncated', async (t) => {
  const sent = choice(0, 'Hello') + choice(1, 'Good day') + choice(0, '', 'stop')
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.end(sent)
  }
  const { text, turn } = await exchange(t, script, { body: { stream: true, n: 2 } })
  endsInErrorEvent(t, text, sent, 'upstream_truncated')
  t.match(turn, { status: 'incomplete', error: 'upstream_truncated', assistant_text: 'Hello' })
})

t.test('a stream that never got to its second choice is truncated', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.end(HELLO + finish())
  }
  const { text, turn } = await exchange(t, script, { body: { stream: true, n: 2 } })
  endsInErrorEvent(t, text, HELLO + finish(), 'upstream_truncated')
  t.match(turn, { status: 'incomplete', error: 'upstream_truncated', assistant_text: 'Hello' })
})

t.test(
  'an upstream that stays open after [DONE] is cancelled, and holds the client a moment at most',
  async (t) => {
    const script: UpstreamScript = (res) => {
      startSse(res)
      res.write(HELLO + WORLD + finish() + DONE)
    }
    const { text, turn, call } = await within(
      5_000,
      'the end',
      exchange(t, script, { body: { stream: true } })
    )
    t.equal(text, HELLO + WORLD + finish() + DONE)
    t.match(turn, WHOLE)
    await within(1_000, 'the cancel', call.cancelled)
  }
)

t.test('a connection that breaks after the finish reason leaves a whole answer', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.write(HELLO + WORLD + finish(), () => setImmediate(() => res.socket?.destroy()))
  }
  const { text, turn } = await exchange(t, script, { body: { stream: true } })
  t.equal(text, HELLO + WORLD + finish())
  t.match(turn, WHOLE)
})

t.test('a JSON answer is completed and passed on unchanged', async (t) => {
  const spelled = JSON.stringify(completion('Hello world'), null, 3).replace(
    '"created": 1,',
    '"created": 1.0,'
  )
  const script: UpstreamScript = (res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(spelled)
  }
  const { status, headers, text, turn, calls } = await exchange(t, script)
  t.equal(status, 200)
  t.equal(headers.get('content-type'), 'application/json')
  t.equal(text, spelled)
  t.match(turn, { ...WHOLE, completion_id: 'chatcmpl-test', detail: null })
  t.equal(calls.length, 1)
})

t.test('a JSON answer to a client that asked for a stream is completed too', async (t) => {
  const script: UpstreamScript = (res) => sendJson(res, 200, completion('Hello world'))
  const { text, turn } = await exchange(t, script, { body: { stream: true } })
  t.strictSame(JSON.parse(text), completion('Hello world'))
  t.match(turn, WHOLE)
})
