import t from 'tap'
import { tempFolder } from './helper/app.ts'
import { lockedDatabase } from './helper/database.ts'
import { exchange, sdkThrows, within } from './helper/endings.ts'
import { DONE, delta, finish, startSse, type UpstreamScript } from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const ERROR =
  'data: {"error":{"message":"Model overloaded","type":"server_error","param":null,"code":"busy"}}\n\n'
const LOST = {
  status: 'incomplete',
  error: 'upstream_truncated',
  assistant_text: 'Hello',
  finish_reason: null
}

const writes: (...pieces: string[]) => UpstreamScript =
  (...pieces) =>
  async (res) => {
    startSse(res)
    for (const piece of pieces) await new Promise((resolve) => res.write(piece, resolve))
    res.end()
  }

const scripts: { title: string; script: UpstreamScript; passedOn?: string }[] = [
  { title: 'at the end', script: writes(HELLO, ERROR) },
  { title: 'in one packet with what came before it', script: writes(HELLO + ERROR) },
  { title: 'with [DONE] in the same packet', script: writes(HELLO, ERROR + DONE) },
  { title: 'with [DONE] in the next packet', script: writes(HELLO, ERROR, DONE) },
  {
    title: 'with more deltas after it',
    script: writes(HELLO, ERROR + delta({ content: ' ignored' }) + DONE)
  },
  { title: 'with a second error after it', script: writes(HELLO, ERROR + ERROR) },
  {
    title: 'named with an event field',
    script: writes(HELLO, `event: error\n${ERROR}`),
    passedOn: `${HELLO}event: error\n${ERROR}`
  },
  {
    title: 'after the finish reason',
    script: writes(HELLO + finish(), ERROR),
    passedOn: HELLO + finish() + ERROR
  }
]

for (const { title, script, passedOn = HELLO + ERROR } of scripts) {
  t.test(`an error event ${title} is passed on unchanged, once, and ends the stream`, async (t) => {
    const { status, text, turn, url } = await exchange(t, script, { body: { stream: true } })
    t.equal(status, 200)
    t.equal(text, passedOn)
    const { finish_reason: _, ...row } = LOST
    t.match(turn, title.includes('finish reason') ? row : LOST)
    t.notMatch(JSON.stringify(turn), 'overloaded', 'error text is nowhere in the row')
    await sdkThrows(t, url, 'busy')
  })
}

t.test('an upstream that stays open after its error event is cancelled', async (t) => {
  const script: UpstreamScript = (res) => {
    startSse(res)
    res.write(HELLO + ERROR)
  }
  const { text, turn, call } = await within(5_000, 'the end', exchange(t, script, { body: { stream: true } }))
  t.equal(text, HELLO + ERROR)
  t.match(turn, LOST)
  await within(1_000, 'the cancel', call.cancelled)
})

t.test('the SDK throws even when the stream ends right after the text of its error event', async (t) => {
  const { turn, url } = await exchange(t, writes(HELLO, ERROR.trimEnd()), { body: { stream: true } })
  t.match(turn, LOST)
  await sdkThrows(t, url, 'busy')
})

t.test('a [DONE] that comes while the error is being written down stays back', async (t) => {
  const dbUrl = `sqlite:${tempFolder(t)}/test.db`
  const script: UpstreamScript = async (res) => {
    startSse(res)
    res.write(HELLO)
    const lock = lockedDatabase(t, dbUrl)
    await new Promise((resolve) => res.write(ERROR, resolve))
    await new Promise((resolve) => setTimeout(resolve, 50)) // the proxy is now waiting for the lock
    await new Promise((resolve) => res.write(DONE, resolve))
    await new Promise((resolve) => setTimeout(resolve, 50))
    lock.release()
  }
  const { text, turn } = await exchange(t, script, { body: { stream: true }, settings: { DB_URL: dbUrl } })
  t.equal(text, HELLO + ERROR)
  t.match(turn, LOST)
})

t.test('an error that is null is no error', async (t) => {
  const sent = HELLO.replace('{"id"', '{"error":null,"id"') + finish() + DONE
  const { text, turn } = await exchange(t, writes(sent), { body: { stream: true } })
  t.equal(text, sent)
  t.match(turn, { status: 'completed', assistant_text: 'Hello' })
})
