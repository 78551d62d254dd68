import t from 'tap'
import { eventually } from '../../helper/endings.ts'
import { addKey, bearer, startGuarded, TO_CHAT } from '../../helper/guarded.ts'
import { isErrorReply, request } from '../../helper/request.ts'

const WRONG = { status: 401, code: 'invalid_api_key' }

t.test('a key opens the conversations of its session, from any of several keys and no others', async (t) => {
  const { app, url } = await startGuarded(t, { AUTH: 'key' })
  const as = (key: string) => ({ authorization: `Bearer ${key}` })
  const [first, second, bobs] = [
    await addKey(app, 'anne'),
    await addKey(app, 'anne'),
    await addKey(app, 'bob')
  ]
  const { id } = (await request(`${url}/v1/conversations`, { body: {}, headers: as(first) })).json
  const statusOf = async (headers: Record<string, string>) =>
    (await request(`${url}/v1/conversations/${id}`, { headers })).status
  t.equal(await statusOf(as(second)), 200)
  t.equal(await statusOf(as(bobs)), 404)
  t.equal(await statusOf({ ...as(bobs), 'x-session-id': 'anne' }), 404, 'x-session-id means nothing')
  t.equal(await statusOf({ authorization: `bEARER   ${first}` }), 200, 'the scheme is known in any case')
})

t.test('a new key works at once, also after it was asked for in vain', async (t) => {
  const { app, send, refuse } = await startGuarded(t, { AUTH: 'key' })
  const key = await addKey(app, 'anne')
  const id = key.split('_')[1] ?? ''
  const [stored] = await app.store.keys.list()
  await app.store.keys.remove(id)
  await refuse(t, { name: 'before', headers: [bearer(key)], ...WRONG })
  if (stored) await app.store.keys.add(stored)
  t.equal((await send({ headers: [bearer(key)] })).status, 200)
})

t.test('a revoked key stops working within 5 seconds, while other keys work on', async (t) => {
  const { app, send, refuse } = await startGuarded(t, { AUTH: 'key' })
  const [key, other] = [await addKey(app, 'anne'), await addKey(app, 'anne')]
  const statusOf = async (text: string) => (await send({ headers: [bearer(text)] })).status
  t.equal(await statusOf(key), 200)
  await app.store.keys.remove(key.split('_')[1] ?? '')
  const revokedAt = performance.now()
  await eventually('a refusal', async () => (await statusOf(key)) === 401)
  t.ok(performance.now() - revokedAt < 5_000, `after ${Math.round(performance.now() - revokedAt)} ms`)
  await refuse(t, { name: 'for good', headers: [bearer(key)], ...WRONG })
  t.equal(await statusOf(other), 200)
})

t.test(
  'a key that is in use costs no read for each request, an invented one leaves nothing behind',
  async (t) => {
    const { app, send } = await startGuarded(t, { AUTH: 'key' })
    const key = await addKey(app, 'anne')
    const { find } = app.store.keys
    let reads = 0
    app.store.keys.find = (id) => {
      reads += 1
      return find(id)
    }
    for (let i = 0; i < 5; i += 1) t.equal((await send({ headers: [bearer(key)] })).status, 200)
    t.equal(reads, 1)
    const unknown = `tk_${'0'.repeat(16)}_${'A'.repeat(43)}`
    for (let i = 0; i < 5; i += 1) t.equal((await send({ headers: [bearer(unknown)] })).status, 401)
    t.equal(reads, 6)
    t.equal((await send({ headers: [bearer('malformed')] })).status, 401)
    t.equal(reads, 6, 'what is no key is not looked up')
  }
)

t.test('a key that cannot be looked up is a 503, never a 401 and never a pass', async (t) => {
  const { app, url, upstream } = await startGuarded(t, { AUTH: 'key' })
  const headers = { authorization: `Bearer ${await addKey(app, 'anne')}` }
  await app.store.close()
  for (const body of [undefined, JSON.parse(TO_CHAT.body), { ...JSON.parse(TO_CHAT.body), store: false }]) {
    const path = body ? TO_CHAT.target : '/v1/conversations'
    const reply = await request(url + path, { headers, ...(body && { body }) })
    isErrorReply(t, reply, 503, { code: 'storage_unavailable', param: null }, path)
    t.equal(reply.headers.get('retry-after'), '1')
  }
  t.equal(upstream.calls.length, 0)
  isErrorReply(t, await request(`${url}/v1/models`), 401, { code: 'credential_required' }, 'without a key')
})

t.test('probes of health need no key, and unknown paths outside of /v1 tell nothing', async (t) => {
  const { url } = await startGuarded(t, { AUTH: 'key' })
  for (const path of ['/livez', '/readyz']) t.equal((await request(url + path)).status, 200)
  isErrorReply(t, await request(`${url}/none`), 404, { code: 'not_found' }, '/none')
})

t.test('under /v1 an unknown path is a 404 for who may call, and a 401 for who may not', async (t) => {
  const { app, url } = await startGuarded(t, { AUTH: 'key' })
  const headers = { authorization: `Bearer ${await addKey(app, 'anne')}` }
  for (const path of ['/v1', '/v1/', '/v1/none', '/v1/conversations/x/y/z']) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PATCH']) {
      const name = `${method} ${path}`
      t.equal((await request(url + path, { method, headers })).status, 404, name)
      t.equal((await request(url + path, { method })).status, 401, name)
    }
  }
})

t.test('a preflight carries no key and needs none', async (t) => {
  const origin = 'https://chat.example.org'
  const { url } = await startGuarded(t, { AUTH: 'key', ALLOWED_ORIGIN: origin })
  const reply = await request(`${url}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization'
    }
  })
  t.equal(reply.status, 204)
  t.equal(reply.headers.get('access-control-allow-origin'), origin)
  const refused = await request(`${url}/v1/conversations`, { headers: { origin } })
  isErrorReply(t, refused, 401, { code: 'credential_required' }, 'the request behind it')
  t.equal(refused.headers.get('access-control-allow-origin'), origin, 'which a page can read')
})
