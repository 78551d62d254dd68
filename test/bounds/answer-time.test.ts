import t from 'tap'
import { startApp } from '../helper/app.ts'
import { endsInErrorEvent, exchange, isErrorBody, onlyTurn, sdkThrows, within } from '../helper/endings.ts'
import { rawChat } from '../helper/raw-client.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  startSse,
  startUpstream,
  type UpstreamScript
} from '../helper/upstream.ts'

const settings = { MAX_ANSWER_MS: '500' }
const LATE = { status: 'incomplete', error: 'upstream_timeout', finish_reason: null }
const HELLO = delta({ content: 'Hello' })

/** Never silent, never done. */
const endless: UpstreamScript = (res) => {
  startSse(res)
  res.write(HELLO)
  const timer = setInterval(() => res.write(': still there\n\n'), 50)
  res.on('close', () => clearInterval(timer))
}

t.test('a stream that takes too long ends in an error event, its text kept', async (t) => {
  const { status, text, turn, call, url } = await exchange(t, endless, { body: { stream: true }, settings })
  t.equal(status, 200)
  endsInErrorEvent(t, text, text.slice(0, text.indexOf('data: {"error"')), 'answer_timeout')
  t.ok(text.startsWith(HELLO))
  t.match(turn, { ...LATE, assistant_text: 'Hello' })
  await within(1_000, 'the cancel', call.cancelled)
  await sdkThrows(t, url, 'answer_timeout')
})

const slow: Record<string, UpstreamScript> = {
  'before its headers': () => {},
  'in its body': (res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.write(JSON.stringify(completion('Hello')).slice(0, 40))
    const timer = setInterval(() => res.write(' '), 50)
    res.on('close', () => clearInterval(timer))
  }
}

for (const [where, script] of Object.entries(slow)) {
  t.test(`a JSON answer that takes too long ${where} is a 504 that is not tried again`, async (t) => {
    const { status, headers, text, turn, call } = await exchange(t, script, { settings })
    t.equal(status, 504)
    isErrorBody(t, text, 'answer_timeout')
    t.equal(headers.get('x-should-retry'), 'false')
    t.match(turn, { ...LATE, assistant_text: null })
    await within(1_000, 'the cancel', call.cancelled)
  })
}

t.test('nobody waits longer for an answer whose client has left', async (t) => {
  const upstream = await startUpstream(t, endless)
  const running = await startApp(t, {
    ...settings,
    OPENAI_BASE_URL: upstream.url,
    ON_DISCONNECT: 'finish'
  })
  const client = await rawChat(t, running.url, { stream: true })
  await client.until('Hello')
  client.socket.destroy()
  t.match(await onlyTurn(running), { ...LATE, assistant_text: 'Hello' })
})

t.test('an answer that has its end is whole, however long its end took', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.write(HELLO + finish())
  }
  const { turn } = await exchange(t, script, { body: { stream: true }, settings })
  t.match(turn, { status: 'completed', error: null, assistant_text: 'Hello' })
})

t.test('0 is no limit', async (t) => {
  const script: UpstreamScript = async (res) => {
    startSse(res)
    res.write(HELLO)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    res.end(finish() + DONE)
  }
  const { turn } = await exchange(t, script, { body: { stream: true }, settings: { MAX_ANSWER_MS: '0' } })
  t.match(turn, { status: 'completed' })
})
