import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { startApp } from './helper/app.ts'
import { isErrorReply, request } from './helper/request.ts'
import { startUpstream } from './helper/upstream.ts'

t.test('a service that is well says so', async (t) => {
  const { url } = await startApp(t)
  for (const path of ['/livez', '/readyz']) {
    const res = await request(url + path)
    t.equal(res.status, 200)
    t.same(res.json, { status: 'ok' })
  }
})

t.test('without its store the service lives but is not ready, and no upstream is called', async (t) => {
  const upstream = await startUpstream(t)
  const { app, url } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  await app.store.close()
  t.equal((await request(`${url}/livez`)).status, 200)
  const unavailable = { code: 'storage_unavailable', param: null }
  isErrorReply(t, await request(`${url}/readyz`), 503, unavailable, 'readyz')
  const routes: [path: string, body?: object][] = [
    ['/v1/conversations'],
    ['/v1/conversations', {}],
    [`/v1/conversations/conv_${'0'.repeat(32)}`],
    [`/v1/conversations/conv_${'0'.repeat(32)}/turns`],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }] }],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }], stream: true }]
  ]
  for (const [path, body] of routes) {
    const res = await request(url + path, { ...(body && { body }) })
    isErrorReply(t, res, 503, unavailable, `${body ? 'POST' : 'GET'} ${path}`)
    t.equal(res.headers.get('retry-after'), '1')
  }
  t.equal(upstream.calls.length, 0)
  t.equal(
    (
      await request(`${url}/v1/chat/completions`, {
        body: { messages: [{ role: 'user', content: 'x' }], store: false }
      })
    ).status,
    200,
    'what is not recorded needs no store'
  )
})

t.test('a service that drains lives and answers but is not ready', async (t) => {
  const { app, url } = await startApp(t)
  app.lifecycle.draining = true
  t.equal((await request(`${url}/livez`)).status, 200)
  isErrorReply(t, await request(`${url}/readyz`), 503, { code: 'server_shutdown' }, 'readyz')
  const served = await request(`${url}/v1/conversations`)
  t.equal(served.status, 200)
  t.equal(served.headers.get('connection'), 'close', 'and asks its clients to connect anew')
})

t.test('once closing has begun no new connection is taken', async (t) => {
  const { app, url } = await startApp(t)
  await app.close()
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  const [err] = await once(socket, 'error')
  t.equal(err.code, 'ECONNREFUSED')
})
