import { once } from 'node:events'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type RunningApp, startApp } from '../helper/app.ts'
import { within } from '../helper/endings.ts'
import { request } from '../helper/request.ts'
import { type Stranger, startStranger } from '../helper/stranger.ts'
import { DONE, finish, sendJson, startUpstream, type UpstreamScript } from '../helper/upstream.ts'

const SECRET = 'sk-canary-secret'

/** Every call that goes to the upstream. */
const CALLS = [
  { path: '/v1/chat/completions', body: { stream: false } },
  { path: '/v1/chat/completions', body: { stream: true } },
  { path: '/v1/chat/completions', body: { stream: true, store: false } },
  { path: '/v1/responses', body: { stream: false } },
  { path: '/v1/responses', body: { stream: true } },
  { path: '/v1/embeddings', body: {} },
  { path: '/v1/models', body: undefined },
  { path: '/v1/models/m', body: undefined }
]

async function start(t: Test, script: UpstreamScript) {
  const upstream = await startUpstream(t, script)
  return { upstream, running: await startApp(t, { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: SECRET }) }
}

async function* answersOf({ url }: RunningApp) {
  for (const { path, body } of CALLS) {
    const question = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], input: 'Hi' }
    const res = await request(url + path, body === undefined ? {} : { body: { ...question, ...body } })
    yield { name: `${path} ${JSON.stringify(body)}`, res, all: res.text + JSON.stringify([...res.headers]) }
  }
}

const locations = ({ host }: Stranger) => [
  `http://${host}/v1/chat/completions`,
  `//${host}/v1/models`,
  `http://user:pass@${host}/`,
  '/v1/models'
]

for (const status of [300, 301, 302, 303, 304, 305, 307, 308]) {
  t.test(`a ${status} of the upstream is followed by nobody, here or at the client`, async (t) => {
    const stranger = await startStranger(t)
    let location = ''
    const { upstream, running } = await start(t, (res) => {
      res.writeHead(status, { location, refresh: `0; url=${location}`, 'content-location': location })
      res.end(status === 304 ? undefined : `{"choices":[{"index":0,"message":{"content":"${location}"}}]}`)
    })
    for (location of locations(stranger)) {
      for await (const { name, res, all } of answersOf(running)) {
        t.equal(res.status, 502, name)
        t.equal(res.headers.get('location'), null)
        t.notMatch(all, stranger.host)
      }
    }
    t.equal(upstream.calls.length, CALLS.length * 4, 'one call for each')
    t.strictSame(stranger.heard, [])
  })
}

for (const status of [401, 403]) {
  const bodies: { title: string; send: UpstreamScript }[] = [
    { title: 'JSON', send: (res) => sendJson(res, status, { error: { message: `bad key ${SECRET}` } }) },
    {
      title: 'a stream',
      send: (res) => {
        res.writeHead(status, { 'content-type': 'text/event-stream', 'x-request-id': SECRET })
        res.end(`data: {"error":{"message":"${SECRET}"}}\n\n${finish()}${DONE}`)
      }
    },
    {
      title: 'HTML',
      send: (res) => void res.writeHead(status, { 'content-type': 'text/html' }).end(`<b>${SECRET}</b>`)
    },
    { title: 'no type', send: (res) => void res.writeHead(status, { 'retry-after': SECRET }).end(SECRET) },
    {
      title: 'a body without end',
      send: (res) => {
        res.writeHead(status, SECRET, { 'content-type': 'application/json' })
        res.write(SECRET)
      }
    },
    {
      title: 'a compressed body',
      send: (res) => void res.writeHead(status, { 'content-encoding': 'gzip' }).end(gzipSync(SECRET))
    }
  ]
  for (const { title, send } of bodies) {
    t.test(`a ${status} as ${title} is a 502 that quotes nothing`, async (t) => {
      const { running, upstream } = await start(t, send)
      for await (const { name, res, all } of answersOf(running)) {
        t.equal(res.status, 502, name)
        t.match(res.json, { error: { code: 'upstream_auth', type: 'server_error' } })
        t.notMatch(all, 'canary')
      }
      t.equal(upstream.calls.length, CALLS.length)
    })
  }
}

const ZEROS = Buffer.alloc(4_194_304, '0')
const COMPRESSED: Record<string, () => Buffer> = {
  gzip: () => gzipSync(ZEROS),
  'x-gzip': () => gzipSync(ZEROS),
  deflate: () => deflateSync(ZEROS),
  br: () => brotliCompressSync(ZEROS),
  zstd: () => zstdCompressSync(ZEROS),
  'gzip, gzip': () => gzipSync(gzipSync(ZEROS)),
  'identity, br': () => brotliCompressSync(ZEROS),
  unheard: () => ZEROS
}

for (const [encoding, compress] of Object.entries(COMPRESSED)) {
  t.test(`an answer in ${encoding}, which nobody asked for, is refused unread`, async (t) => {
    const bomb = compress()
    let written = 0
    const { running, upstream } = await start(t, async (res, call) => {
      const wantsStream = call.body !== '' && JSON.parse(call.body).stream === true
      const type = wantsStream ? 'text/event-stream' : 'application/json'
      res.writeHead(200, { 'content-type': type, 'content-encoding': encoding })
      written = 0
      while (!res.destroyed && written < 1_073_741_824) {
        written += bomb.length
        if (!res.write(bomb)) await Promise.race([once(res, 'drain'), once(res, 'close')])
      }
    })
    const before = process.memoryUsage().rss
    for await (const { name, res } of answersOf(running)) {
      t.equal(res.status, 502, name)
      t.match(res.json, { error: { code: 'upstream_error' } })
      await within(5_000, 'the cancel', upstream.calls.at(-1)?.cancelled as Promise<void>)
      t.ok(written < 1_073_741_824, 'it was not read to its end')
    }
    const grown = process.memoryUsage().rss - before
    t.ok(grown < 268_435_456, `${Math.round(grown / 1_048_576)} MiB more`)
  })
}

t.test('a compressed answer that does not say so is not unpacked', async (t) => {
  const { running } = await start(t, (res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(gzipSync('{"choices":[]}'))
  })
  for await (const { name, res } of answersOf(running)) t.equal(res.status, 502, name)
})
