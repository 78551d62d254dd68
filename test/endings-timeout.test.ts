import t from 'tap'
import { endsInErrorEvent, exchange, isErrorBody, sdkThrows, within } from './helper/endings.ts'
import { completion, DONE, delta, finish, startSse, type UpstreamScript } from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const SILENT = { status: 'incomplete', error: 'upstream_timeout', finish_reason: null }
/** Each limit alone, so that neither can stand in for the other. */
const NO_HEADERS = { UPSTREAM_HEADERS_TIMEOUT_MS: '100', UPSTREAM_IDLE_TIMEOUT_MS: '0' }
const IDLE = { UPSTREAM_HEADERS_TIMEOUT_MS: '0', UPSTREAM_IDLE_TIMEOUT_MS: '100' }
const stream = { body: { stream: true }, settings: IDLE }

for (const asked of [true, false]) {
  t.test(`an upstream that is silent before its headers is a 504 (stream: ${asked})`, async (t) => {
    const { status, text, turn, call } = await exchange(t, () => {}, {
      body: { stream: asked },
      settings: NO_HEADERS
    })
    t.equal(status, 504)
    isErrorBody(t, text, 'upstream_timeout')
    t.match(turn, { ...SILENT, assistant_text: null })
    await within(1_000, 'the cancel', call.cancelled)
  })
}

const late = (headersAfterMs: number, restAfterMs: number): UpstreamScript => {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  return async (res) => {
    await wait(headersAfterMs)
    startSse(res)
    await wait(restAfterMs)
    res.end(HELLO + finish() + DONE)
  }
}

t.test('a wait for the headers beyond the idle timeout does no harm', async (t) => {
  const { status, turn } = await exchange(t, late(300, 0), stream)
  t.equal(status, 200)
  t.match(turn, { status: 'completed', assistant_text: 'Hello' })
})

t.test('a silence beyond the headers timeout does no harm', async (t) => {
  const settings = { UPSTREAM_HEADERS_TIMEOUT_MS: '500', UPSTREAM_IDLE_TIMEOUT_MS: '0' }
  const { status, turn } = await exchange(t, late(0, 800), { ...stream, settings })
  t.equal(status, 200)
  t.match(turn, { status: 'completed', assistant_text: 'Hello' })
})

const silences: { title: string; sent: string; passedOn: string; text: string | null }[] = [
  { title: 'after its headers', sent: '', passedOn: '', text: null },
  { title: 'after a delta', sent: HELLO, passedOn: HELLO, text: 'Hello' },
  { title: 'inside an event', sent: `${HELLO}data: {"cho`, passedOn: HELLO, text: 'Hello' }
]

for (const { title, sent, passedOn, text: kept } of silences) {
  t.test(`a stream that falls silent ${title} ends in an error event, its text kept`, async (t) => {
    const script: UpstreamScript = (res) => {
      startSse(res)
      res.write(sent)
    }
    const { status, text, turn, call, url } = await exchange(t, script, stream)
    t.equal(status, 200)
    endsInErrorEvent(t, text, passedOn, 'upstream_timeout')
    t.match(turn, { ...SILENT, assistant_text: kept })
    await within(1_000, 'the cancel', call.cancelled)
    await sdkThrows(t, url, 'upstream_timeout')
  })
}

t.test('a JSON answer that falls silent halfway is a 504', async (t) => {
  const script: UpstreamScript = (res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.write(JSON.stringify(completion('Hello')).slice(0, 40))
  }
  const { status, text, turn, call } = await exchange(t, script, { settings: IDLE })
  t.equal(status, 504)
  isErrorBody(t, text, 'upstream_timeout')
  t.match(turn, { ...SILENT, assistant_text: null })
  await within(1_000, 'the cancel', call.cancelled)
})

t.test('silence after the finish reason, with no [DONE], leaves a whole answer', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.write(HELLO + finish())
  }
  const { text, turn, call } = await exchange(t, script, stream)
  t.equal(text, HELLO + finish(), 'nothing is added')
  t.match(turn, { status: 'completed', error: null, assistant_text: 'Hello', finish_reason: 'stop' })
  await within(1_000, 'the cancel', call.cancelled)
})

t.test('a comment shows that the upstream lives', async (t) => {
  const script: UpstreamScript = async (res) => {
    startSse(res)
    res.write(HELLO)
    for (let beats = 0; beats < 8; beats += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      res.write(': still thinking\n\n')
    }
    res.end(finish() + DONE)
  }
  const settings = { UPSTREAM_IDLE_TIMEOUT_MS: '500' }
  const { text, turn } = await exchange(t, script, { ...stream, settings })
  t.equal(text, HELLO + ': still thinking\n\n'.repeat(8) + finish() + DONE)
  t.match(turn, { status: 'completed', assistant_text: 'Hello' })
})
