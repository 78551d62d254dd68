import t, { type Test } from 'tap'
import { startExport } from '../plugins/tracing/span-export.ts'
import { type Collector, type Span, startCollector } from './helper/collector.ts'
import { eventually } from './helper/endings.ts'
import { rawChat } from './helper/raw-client.ts'
import { startServer } from './helper/server-process.ts'
import { DONE, delta, finish, plainAnswer, sendJson, startSse, startUpstream } from './helper/upstream.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const HEADERS = {
  'content-type': 'application/json',
  traceparent: `00-${TRACE}-${PARENT}-01`,
  tracestate: 'secret=TRACESTATE'
}

/** The server as a process of its own: the way in which a Node process is traced is one for all of it. */
async function traced(t: Test, script = plainAnswer, collector?: Collector) {
  const upstream = await startUpstream(t, script)
  const server = await startServer(t, {
    DB_URL: 'sqlite::memory:',
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'sk-KEYKEYKEY',
    AUTH: 'header',
    ...(collector && { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` })
  })
  const chat = (body: object, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...HEADERS, 'x-session-id': 'SESSIONSESSION', ...headers },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'PROMPTPROMPT' }], ...body })
    })
  /** Stops the server, which sends what is left. */
  const stop = async () => {
    server.kill('SIGINT')
    await server.exited
  }
  return { upstream, server, chat, stop }
}

const attribute = (span: Span | undefined, name: string) => {
  const value = span?.attributes.find(({ key }) => key === name)?.value
  return value?.stringValue ?? value?.intValue
}

t.test('one trace leads from the client through both writes to the upstream', async (t) => {
  const collector = await startCollector(t)
  const { upstream, chat, stop } = await traced(t, plainAnswer, collector)
  const text = await (await chat({ stream: true })).text()
  const events = [
    delta({ role: 'assistant', content: 'Hello' }),
    delta({ content: ' world' }),
    finish(),
    DONE
  ]
  t.equal(text, events.join(''), 'the bytes are those of the upstream')
  await stop()

  const { spans } = collector
  t.ok(
    spans.every(({ traceId }) => traceId === TRACE),
    'all in the trace of the client'
  )
  const named = (name: string) => spans.find((span) => span.name === name)
  const request = named('POST /v1/chat/completions')
  t.equal(request?.parentSpanId, PARENT)
  t.equal(request?.kind, 2, 'a server')
  t.equal(attribute(request, 'http.response.status_code'), 200)
  t.equal(attribute(request, 'http.route'), '/v1/chat/completions')
  for (const name of ['write question', 'write answer', 'POST'])
    t.equal(named(name)?.parentSpanId, request?.spanId, name)
  t.equal(spans.length, 4, 'and nothing else, sending them included')

  const [call] = upstream.calls
  t.equal(
    call?.headers.traceparent,
    `00-${TRACE}-${named('POST')?.spanId}-01`,
    'the upstream goes on from there'
  )
  t.notOk(call?.headers.tracestate, 'what a client says beside it stays here')
})

t.test('each of many at once has its own trace, on connections that they share', async (t) => {
  const collector = await startCollector(t)
  const { upstream, chat, stop } = await traced(t, plainAnswer, collector)
  const ids = Array.from({ length: 30 }, (_, i) => `${TRACE.slice(2)}${10 + i}`)
  for (const batch of [ids.slice(0, 5), ids.slice(5)]) {
    await Promise.all(
      batch.map(async (id) => {
        await (await chat({ stream: true }, { traceparent: `00-${id}-${PARENT}-01` })).text()
      })
    )
  }
  await stop()
  for (const id of ids) {
    const names = collector.spans.filter(({ traceId }) => traceId === id).map(({ name }) => name)
    t.same(names.sort(), ['POST', 'POST /v1/chat/completions', 'write answer', 'write question'])
  }
  const told = upstream.calls.map(({ headers }) => String(headers.traceparent).split('-')[1])
  t.same(told.sort(), ids)
})

t.test('a request without a trace begins one, and one that is not to be sampled is not sent', async (t) => {
  const collector = await startCollector(t)
  const { chat, stop } = await traced(t, plainAnswer, collector)
  await (await chat({}, { traceparent: `00-${TRACE}-${PARENT}-00` })).text()
  await (await chat({}, { traceparent: 'nonsense' })).text()
  await stop()
  t.equal(collector.spans.length, 4)
  t.ok(collector.spans.every(({ traceId }) => traceId !== TRACE))
})

t.test('spans hold no text, query, credential or session, however it ends', async (t) => {
  const collector = await startCollector(t)
  const { server, chat, stop } = await traced(
    t,
    (res, { body }) => {
      if (body.includes('"cut"')) {
        startSse(res)
        res.write(delta({ content: 'ANSWERANSWER' }))
        return void res.destroy()
      }
      sendJson(res, body.includes('"refuse"') ? 401 : 500, { error: { message: 'ANSWERANSWER' } })
    },
    collector
  )
  for (const user of ['cut', 'refuse', 'error']) await (await chat({ user, stream: true })).text()
  await (await chat({ n: 'BODYBODY' })).text()
  const headers = { 'x-session-id': 'SESSIONSESSION', authorization: 'Bearer CREDENTIAL' }
  for (const path of ['/v1/models?q=QUERYQUERY', '/v1/models/MODELMODEL', '/PATHPATH?QUERYQUERY'])
    await (await fetch(server.url + path, { headers })).text()
  const leaving = await rawChat(t, server.url, { stream: true }, { 'x-session-id': 'SESSIONSESSION' })
  leaving.socket.destroy()
  await stop()
  t.ok(collector.spans.length > 12)
  const secret = /PROMPT|ANSWER|BODYBODY|SESSION|KEYKEY|CREDENTIAL|QUERY|MODELMODEL|PATHPATH|TRACESTATE/
  t.notMatch(collector.text, secret)
  t.ok(
    collector.spans.every(({ status, events }) => !status.message && !events?.length),
    'nor messages of errors'
  )
  t.ok(
    collector.spans.some(({ status }) => status.code === 2),
    'but they say that something failed'
  )
})

t.test('a collector that is dead or never answers slows nothing down', async (t) => {
  const silent = await startCollector(t, null)
  const dead = { ...silent, url: 'http://127.0.0.1:9' }
  for (const collector of [silent, dead]) {
    const { server, chat, stop } = await traced(t, plainAnswer, collector)
    for (let i = 0; i < 5; i += 1) t.match(await (await chat({ stream: true })).text(), '[DONE]')
    const stopping = performance.now()
    await stop()
    t.ok(performance.now() - stopping < 6_000, 'it stops all the same')
    const { code } = await server.exited
    t.equal(code, 0)
    t.notMatch(server.output.stdout + server.output.stderr, 'ECONNREFUSED', 'without a stack each time')
  }
})

t.test('a collector that refuses is reported, but not each time', async (t) => {
  const collector = await startCollector(t, 400)
  const reports: string[] = []
  const report = (message: string) => void reports.push(message)
  const { tracer, stop } = startExport({ endpoint: collector.url, serviceName: 'x', batchMs: 1, report })
  for (const sent of [1, 2, 3]) {
    tracer.startSpan('x').end()
    await eventually('it was sent', () => collector.calls.length === sent)
  }
  await stop()
  t.same(reports, ['traces cannot be sent to the collector'])
})

t.test('without the setting nothing is traced, and the upstream hears of no trace', async (t) => {
  const { upstream, chat } = await traced(t)
  await (await chat({ stream: true })).text()
  const names = Object.keys(upstream.calls[0]?.headers ?? {})
  t.ok(names.includes('authorization'))
  t.notOk(names.some((name) => name.startsWith('trace')))
})
