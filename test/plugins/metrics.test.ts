import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startApp } from '../helper/app.ts'
import { eventually, exchange, gate } from '../helper/endings.ts'
import { type Scrape, scrape } from '../helper/metrics.ts'
import { startDatabase } from '../helper/postgres.ts'
import { isErrorReply, request } from '../helper/request.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  sendJson,
  startSse,
  startUpstream,
  type UpstreamScript
} from '../helper/upstream.ts'

const TOKEN = 'scrape-me'
const CHAT = { messages: [{ role: 'user', content: 'x' }] }

t.test('without a token the figures are shown on a loopback address alone', async (t) => {
  const local = await startApp(t)
  const shown = await request(`${local.url}/metrics`)
  t.equal(shown.status, 200)
  t.match(shown.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  const open = await startApp(t, { HOST: '0.0.0.0', ALLOW_INSECURE_AUTH: 'true' })
  const url = open.url.replace('0.0.0.0', '127.0.0.1')
  isErrorReply(t, await request(`${url}/metrics`), 404, { code: 'not_found' }, 'as if it were not there')
})

t.test('with a token nobody sees the figures without it', async (t) => {
  const { url } = await startApp(t, { METRICS_TOKEN: TOKEN })
  const wrong = ['', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, TOKEN, 'Bearer']
  for (const authorization of wrong) {
    const refused = await request(`${url}/metrics`, { headers: authorization ? { authorization } : {} })
    isErrorReply(t, refused, 401, { code: 'invalid_token', param: 'authorization' }, authorization)
  }
  const shown = await request(`${url}/metrics`, { headers: { authorization: `bearer ${TOKEN}` } })
  t.match(shown.text, /^turnkeeper_turns_accepted_total 0$/m)
})

t.test('the process itself is watched, however often it is asked', async (t) => {
  const { url } = await startApp(t)
  await Promise.all([scrape(url), scrape(url)])
  const { names } = await scrape(url)
  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'nodejs_heap_size_used_bytes', 'process_open_fds'])
    t.ok(names.includes(name), name)
})

t.test('what was not recorded is not counted as a turn', async (t) => {
  const upstream = await startUpstream(t)
  const { app, url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const figure = async () => (await scrape(url)).value('turnkeeper_turns_accepted_total')
  await (await chat({ store: false })).text()
  await (await chat({ conversation: 'conv_none' })).text()
  t.equal(await figure(), 0)
  const key = { 'idempotency-key': 'k' }
  await (await chat({}, key)).text()
  t.equal((await chat({}, key)).headers.get('idempotent-replayed'), 'true')
  t.equal(await figure(), 1, 'and a replay is no turn')
  await app.store.close()
  t.equal((await chat()).status, 503)
  t.equal(await figure(), 1, 'nor is a question that the store did not take')
  const writes = await scrape(url)
  const persisted = (outcome: string) =>
    writes.value('turnkeeper_persist_seconds_count', { write: 'question', outcome })
  t.same([persisted('written'), persisted('skipped'), persisted('failed')], [1, 1, 1])
})

t.test('each upstream error counts by its code', async (t) => {
  const scripts = {
    upstream_error: (res) => sendJson(res, 500, {}),
    upstream_auth: (res) => sendJson(res, 401, {}),
    upstream_truncated: (res) => {
      startSse(res)
      res.end(delta({ content: 'x' }))
    },
    upstream_timeout: () => {}
  } as const satisfies Record<string, Parameters<typeof exchange>[1]>
  for (const [kind, script] of Object.entries(scripts)) {
    const { url } = await exchange(t, script, {
      body: { stream: true },
      settings: { UPSTREAM_HEADERS_TIMEOUT_MS: '100' }
    })
    const { series } = await scrape(url)
    const errors = series.filter(({ name }) => name === 'turnkeeper_upstream_errors_total')
    t.match(errors, [{ labels: { kind }, value: 1 }], kind)
    t.equal(errors.length, 1, 'and as nothing else')
  }
})

t.test('open streams and the bytes that wait for a client are those of the moment', async (t) => {
  const more = gate()
  const upstream = await startUpstream(t, async (res) => {
    startSse(res)
    res.write(`${delta({ content: 'x' })}data: {"held`)
    await more.opened
    res.end(`":1}\n\n${finish()}${DONE}`)
  })
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const read = async () => {
    const scraped = await scrape(url)
    return [scraped.value('turnkeeper_open_streams'), scraped.value('turnkeeper_client_buffered_bytes')]
  }
  t.same(await read(), [0, 0])
  const res = await chat({ stream: true })
  await eventually('an event is held until it is whole', async () => {
    const [open, bytes] = await read()
    return open === 1 && bytes === 'data: {"held'.length
  })
  more.open()
  await res.text()
  await eventually('nothing is left', async () => (await read()).every((value) => value === 0))
})

t.test('the time to the first byte leaves out that of the upstream', async (t) => {
  const waitMs = 400
  const upstream = await startUpstream(t, (res, { body }) => {
    const stream = body.includes('"stream":true')
    setTimeout(() => {
      if (!stream)
        return sendJson(res, 200, { choices: [{ message: { content: 'x' }, finish_reason: 'stop' }] })
      startSse(res)
      setTimeout(() => res.end(delta({ content: 'x' }) + finish() + DONE), waitMs)
    }, waitMs)
  })
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  for (const stream of [true, false]) await (await chat({ stream })).text()
  const scraped = await scrape(url)
  const [added, headers] = ['turnkeeper_first_byte_added_seconds', 'turnkeeper_upstream_headers_seconds']
  t.equal(scraped.value(`${added}_count`), 2)
  t.ok((scraped.value(`${added}_sum`) ?? 9) < (2 * waitMs) / 1000, 'ours alone')
  t.equal(scraped.value(`${headers}_count`), 2)
  t.ok((scraped.value(`${headers}_sum`) ?? 0) >= (2 * waitMs - 50) / 1000, 'and its time is known')
})

t.test('the time to the first byte of a stream is all that a client waits, once a stream', async (t) => {
  const waitMs = 300
  const again = gate()
  const scripts: Record<string, UpstreamScript> = {
    stream: async (res) => {
      await delay(waitMs)
      startSse(res)
      await delay(waitMs)
      res.write(delta({ content: 'x' }))
      await again.opened
      res.write(delta({ content: 'y' }))
      await delay(waitMs)
      res.end(finish() + DONE)
    },
    json: (res) => sendJson(res, 200, completion('Hello')),
    'an error': (res) => sendJson(res, 500, {}),
    'an error in place of a stream': (res) => {
      startSse(res)
      res.end('data: {"error":{"message":"x"}}\n\n')
    }
  }
  const upstream = await startUpstream(t, (res, call, req) =>
    scripts[JSON.parse(call.body).user]?.(res, call, req)
  )
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const figure = async (part: string) => (await scrape(url)).value(`turnkeeper_first_byte_seconds_${part}`)
  for (const user of Object.keys(scripts).slice(1)) {
    await (await chat({ user, stream: user !== 'json' })).text()
    t.equal(await figure('count'), 0, user)
  }
  const res = await chat({ user: 'stream', stream: true })
  await eventually('it counts as soon as it is there', async () => (await figure('count')) === 1)
  const seconds = (await figure('sum')) ?? 0
  t.ok(seconds >= (2 * waitMs - 50) / 1000, "the upstream's time is in it")
  again.open()
  await res.text()
  t.equal(await figure('count'), 1)
  t.equal(await figure('sum'), seconds, 'and not what comes after')
})

t.test('a Postgres store shows its connections', async (t) => {
  const { url } = await startApp(t, { DB_URL: await startDatabase() })
  await request(`${url}/v1/conversations`)
  const scraped = await scrape(url)
  t.ok(scraped.sum('turnkeeper_store_connections') >= 1)
  t.equal(scraped.value('turnkeeper_store_connections_waiting'), 0)
  t.ok((scraped.value('turnkeeper_store_transactions_total') ?? 0) >= 1)
})

t.test('a turn that a dead process left counts as recovered and not as accepted', async (t) => {
  const upstream = await startUpstream(t, () => {})
  const DB_URL = await startDatabase()
  const settings = { DB_URL, OPENAI_BASE_URL: upstream.url, INSTANCE_ID: 'one' }
  const first = await startApp(t, settings)
  void first.chat().catch(() => {})
  await eventually('it runs', () => upstream.calls.length === 1)
  const second = await startApp(t, settings)
  const scraped = await scrape(second.url)
  t.equal(scraped.value('turnkeeper_turns_recovered_total'), 1)
  t.equal(scraped.value('turnkeeper_turns_accepted_total'), 0)
})

t.test('requests count by route and class of status, refusals by code', async (t) => {
  const { url } = await startApp(t, { AUTH: 'header' })
  const headers = { 'x-session-id': 'one' }
  await request(`${url}/v1/conversations`, { headers })
  await request(`${url}/v1/conversations`)
  await request(`${url}/v1/conversations/conv_${'0'.repeat(32)}`, { headers })
  await request(`${url}/nowhere/at/all`)
  const scraped = await scrape(url)
  const count = (route: string, status: string) =>
    scraped.value('turnkeeper_http_requests_total', { route, method: 'GET', status })
  t.equal(count('/v1/conversations', '2xx'), 1)
  t.equal(count('/v1/conversations', '4xx'), 1)
  t.equal(count('/v1/conversations/:id', '4xx'), 1)
  t.equal(count('none', '4xx'), 1)
  for (const code of ['session_required', 'conversation_not_found', 'not_found'])
    t.equal(scraped.value('turnkeeper_refusals_total', { code }), 1, code)
})

t.test('whatever clients choose, there is no series more for it', async (t) => {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, AUTH: 'header' })
  const call = async (i: number) => {
    const headers = { 'x-session-id': `session-${i}`, 'user-agent': `agent-${i}` }
    await request(`${url}/v1/chat/completions`, {
      headers,
      body: { ...CHAT, model: `model-${i}`, store: i % 10 === 0 }
    })
    await request(`${url}/path-${i}?query-${i}`, { headers, method: i % 2 ? 'PUT' : 'GET' })
  }
  for (let i = 0; i < 4; i += 1) await call(i)
  const lines = ({ series }: Scrape) => series.filter(({ name }) => name.startsWith('turnkeeper_')).length
  await scrape(url)
  const before = lines(await scrape(url))
  const numbers = Array.from({ length: 1_000 }, (_, i) => i + 4)
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let i = numbers.pop(); i !== undefined; i = numbers.pop()) await call(i)
    })
  )
  const after = await scrape(url)
  t.equal(lines(after), before)
  t.notMatch(after.text, /(session|agent|model|path|query)-\d/)
  t.equal(after.value('turnkeeper_turns_accepted_total'), 101)
})
