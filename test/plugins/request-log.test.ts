import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { tempFolder } from '../helper/app.ts'
import { eventually, gate } from '../helper/endings.ts'
import { rawChat } from '../helper/raw-client.ts'
import { request } from '../helper/request.ts'
import { delta, sendJson, startSse, startUpstream, type UpstreamScript } from '../helper/upstream.ts'

/** The service over an upstream that follows `script`, and the request lines of its log. */
async function logging(t: Test, script?: UpstreamScript) {
  const upstream = await startUpstream(t, script)
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      const line = JSON.parse(String(chunk))
      if (line.msg === 'request') lines.push(line)
      done()
    }
  })
  const config = loadConfig({
    DB_URL: `sqlite:${tempFolder(t)}/test.db`,
    OPENAI_BASE_URL: upstream.url,
    DRAIN_TIMEOUT_MS: '0'
  })
  const app = await buildApp(config, { level: 'info', stream })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const chat = (body: object, headers = {}) =>
    request(`${url}/v1/chat/completions`, {
      headers,
      body: { messages: [{ role: 'user', content: 'x' }], ...body }
    })
  /** The next line that is written. */
  const line = async () => {
    await eventually('a line', () => lines.length > 0)
    return lines.shift()
  }
  return { upstream, url, chat, line, lines }
}

t.test('a line says how the answer ended, and when its first byte went', async (t) => {
  const waitMs = 100
  const { upstream, chat, line } = await logging(t, (res) => {
    setTimeout(
      () => sendJson(res, 200, { choices: [{ message: { content: 'x' }, finish_reason: 'stop' }] }),
      waitMs
    )
  })
  await chat({})
  const whole = await line()
  t.match(whole, { status: 200, ended: 'completed', firstByteMs: Number, error: undefined, code: undefined })
  const { ms, firstByteMs } = whole as { ms: number; firstByteMs: number }
  t.ok(firstByteMs >= waitMs - 10 && firstByteMs <= ms + 1, 'the time of the upstream is in it')
  upstream.script = (res) => sendJson(res, 500, { error: { message: 'x' } })
  await chat({})
  t.match(await line(), { status: 500, ended: 'failed', error: 'upstream_error' })
  upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'x' }))
  }
  await chat({ stream: true, store: false })
  t.match(await line(), { status: 200, ended: 'incomplete', error: 'upstream_truncated', turn: undefined })
  await chat({ n: 'x' })
  t.match(await line(), { status: 400, code: 'invalid_value', ended: undefined })
})

t.test('the line of a client that left waits for the end of the exchange', async (t) => {
  const more = gate()
  const { url, line, lines } = await logging(t, async (res) => {
    startSse(res)
    res.write(delta({ content: 'x' }))
    await more.opened
    res.end(`${delta({}, 'stop')}data: [DONE]\n\n`)
  })
  const leaving = await rawChat(t, url, { stream: true })
  await leaving.until('"x"')
  leaving.socket.destroy()
  t.match(await line(), { aborted: true, ended: 'incomplete', error: 'client_disconnect', turn: /^turn_/ })
  const finishing = await rawChat(t, url, { stream: true }, { 'x-on-disconnect': 'finish' })
  await finishing.until('"x"')
  finishing.socket.destroy()
  await finishing.closed
  await request(`${url}/livez`)
  t.match(await line(), { route: '/livez' }, 'others are logged meanwhile')
  t.equal(lines.length, 0)
  more.open()
  t.match(await line(), { aborted: true, ended: 'completed', error: undefined })
})

t.test('the name of a request in the log is counted here, whatever the client says', async (t) => {
  const { chat, line } = await logging(t)
  const headers = { 'x-request-id': 'MINE', 'request-id': 'MINE', 'x-correlation-id': 'MINE' }
  await chat({}, headers)
  t.match(await line(), { reqId: /^req-\w+$/ })
})
