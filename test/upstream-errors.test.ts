import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { startApp } from './helper/app.ts'
import { exchange, isErrorBody, onlyTurn } from './helper/endings.ts'
import { completion, DONE, finish, sendJson, type UpstreamScript } from './helper/upstream.ts'

const FAILED = {
  status: 'failed',
  error: 'upstream_error',
  user_text: 'Hi',
  assistant_text: null,
  finish_reason: null,
  completion_id: null,
  detail: null
}

for (const stream of [true, false]) {
  const asked = stream ? 'a stream' : 'JSON'

  for (const statusCode of [400, 404, 408, 409, 422, 429, 500, 503, 529]) {
    t.test(`the upstream's ${statusCode} reaches a client that asked for ${asked} unchanged`, async (t) => {
      const body = ` {"error":{"message":"No luck: ${statusCode}","type":"t","param":"p","code":"c"}, "x":1.0}\n`
      const script: UpstreamScript = (res) => {
        const headers = {
          'content-type': 'application/json; charset=utf-8',
          'retry-after': '7',
          'retry-after-ms': '6500',
          'x-should-retry': 'false',
          'x-ratelimit-remaining-tokens': '12',
          'set-cookie': 'upstream=secret'
        }
        res.writeHead(statusCode, headers).end(body)
      }
      const { status, headers, text, turn, calls } = await exchange(t, script, { body: { stream } })
      t.equal(status, statusCode)
      t.equal(text, body)
      t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
      t.equal(headers.get('retry-after'), '7')
      t.equal(headers.get('retry-after-ms'), '6500')
      t.equal(headers.get('x-should-retry'), 'false')
      t.equal(headers.get('x-ratelimit-remaining-tokens'), '12')
      t.equal(headers.get('set-cookie'), null)
      t.equal(headers.get('x-turn-id'), turn.id)
      t.match(turn, FAILED)
      t.equal(calls.length, 1)
    })
  }

  for (const statusCode of [401, 403]) {
    t.test(`the upstream's ${statusCode} is a 502 that quotes nothing, for ${asked}`, async (t) => {
      const script: UpstreamScript = (res) => {
        res.setHeader('www-authenticate', 'Bearer realm="sk-secret"')
        res.setHeader('x-request-id', 'sk-secret')
        sendJson(res, statusCode, {
          error: { message: 'Incorrect API key: sk-secret', code: 'invalid_api_key' }
        })
      }
      const { status, headers, text, turn, calls } = await exchange(t, script, {
        body: { stream },
        settings: { OPENAI_API_KEY: 'sk-secret' }
      })
      t.equal(calls[0]?.headers.authorization, 'Bearer sk-secret')
      t.equal(status, 502)
      isErrorBody(t, text, 'upstream_auth')
      t.notMatch(text + JSON.stringify([...headers]), 'secret')
      t.match(turn, FAILED)
      t.equal(calls.length, 1)
    })
  }

  const unusable: { title: string; script: UpstreamScript }[] = [
    {
      title: 'a redirect',
      script: (res, call) => void res.writeHead(302, { location: `${call.url}?again` }).end()
    },
    {
      title: 'a redirect with a whole answer as its body',
      script: (res) => {
        res.setHeader('location', '/elsewhere')
        sendJson(res, 302, completion('Hello'))
      }
    },
    {
      title: 'a 307 to another host',
      script: (res) => void res.writeHead(307, { location: 'http://127.0.0.2:9/v1/chat/completions' }).end()
    },
    { title: 'a 304', script: (res) => void res.writeHead(304).end() },
    { title: 'a 204', script: (res) => void res.writeHead(204).end() },
    {
      title: 'a page of HTML',
      script: (res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>')
    },
    { title: 'JSON without choices', script: (res) => sendJson(res, 200, { id: 'c', object: 'x' }) },
    {
      title: 'an error that says 200',
      script: (res) => sendJson(res, 200, { error: { message: 'Quoted' } })
    },
    { title: 'choices that are no list', script: (res) => sendJson(res, 200, { choices: {} }) },
    { title: 'a JSON list', script: (res) => sendJson(res, 200, [completion('Hello')]) },
    { title: 'a JSON null', script: (res) => sendJson(res, 200, null) },
    {
      title: 'half of a JSON object',
      script: (res) => void res.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[')
    },
    {
      title: 'an empty body',
      script: (res) => void res.writeHead(200, { 'content-type': 'application/json' }).end()
    },
    {
      title: 'a compressed stream',
      script: (res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
        res.end(gzipSync(finish() + DONE))
      }
    },
    {
      title: 'a compressed body, which nobody asked for',
      script: (res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        res.end(gzipSync(JSON.stringify(completion('Hello'))))
      }
    }
  ]

  for (const { title, script } of unusable) {
    t.test(`${title} in place of ${asked} is a 502 and fails the turn`, async (t) => {
      const { status, text, headers, turn, calls } = await exchange(t, script, { body: { stream } })
      t.equal(status, 502)
      isErrorBody(t, text, 'upstream_error')
      t.equal(headers.get('location'), null)
      t.equal(headers.get('content-encoding'), null)
      t.match(turn, FAILED)
      t.equal(calls.length, 1, 'it is asked once, and nothing is followed')
    })
  }

  const unreachable: { title: string; script: UpstreamScript }[] = [
    { title: 'resets the connection', script: (res) => void res.socket?.resetAndDestroy() },
    { title: 'closes the connection', script: (res) => void res.socket?.end() },
    { title: 'answers in another protocol', script: (res) => void res.socket?.end('220 smtp ready\r\n') },
    {
      title: 'stops inside its headers',
      script: (res) => void res.socket?.end('HTTP/1.1 200 OK\r\ncontent-')
    }
  ]

  for (const { title, script } of unreachable) {
    t.test(`an upstream that ${title} before ${asked} is a 502`, async (t) => {
      const { status, text, turn, calls } = await exchange(t, script, { body: { stream } })
      t.equal(status, 502)
      isErrorBody(t, text, 'upstream_unreachable')
      t.match(turn, FAILED)
      t.equal(calls.length, 1, 'the model is not called twice for one question')
    })
  }

  t.test(`an upstream that refuses the connection is a 502 for ${asked}`, async (t) => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const running = await startApp(t, { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` })
    const res = await running.chat({ stream })
    t.equal(res.status, 502)
    const text = await res.text()
    isErrorBody(t, text, 'upstream_unreachable')
    t.notMatch(text, String(port), 'the address stays here')
    t.match(await onlyTurn(running), FAILED)
  })
}
