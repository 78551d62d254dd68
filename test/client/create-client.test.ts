import t from 'tap'
import { createClient } from '../../client/index.js'
import { newApiKey } from '../../storage/keys/api-key.ts'
import { allOf, failsWith, HI, startClient } from '../helper/client.ts'

/** A `fetch` that notes what it was asked, and answers with an empty list. */
function noting() {
  const asked: { url: string; init: RequestInit & { headers: Headers } }[] = []
  const fake = async (url: unknown, init: unknown) => {
    asked.push({ url: String(url), init: init as RequestInit & { headers: Headers } })
    return Response.json({ object: 'list', data: [], has_more: false })
  }
  return { asked, fetch: fake as typeof fetch }
}

t.test('the base is the URL up to and including /v1, with or without a slash', async (t) => {
  for (const baseUrl of [
    'https://chat.example/a/v1',
    'https://chat.example/a/v1/',
    'https://chat.example/a/v1?x#y'
  ]) {
    const { asked, fetch } = noting()
    const client = createClient({ baseUrl, fetch })
    await client.models.list()
    await client.conversations.get('conv_1')
    await client.metrics()
    t.strictSame(
      asked.map(({ url }) => url),
      ['models', 'conversations/conv_1', '../metrics'].map(
        (path) => new URL(path, 'https://chat.example/a/v1/').href
      )
    )
  }
  t.throws(() => createClient(), { name: 'TypeError', message: /baseUrl/ })
  t.throws(() => createClient({ baseUrl: './v1' }), { name: 'TypeError' })
})

t.test('on a page the base is ./v1, relative to it', async (t) => {
  const page = globalThis as { document?: { baseURI: string } }
  t.teardown(() => delete page.document)
  const cases = [
    ['https://chat.example/console/', undefined, 'https://chat.example/console/v1/models'],
    ['https://chat.example/console/index.html?a', undefined, 'https://chat.example/console/v1/models'],
    ['https://chat.example/console/', '../v1', 'https://chat.example/v1/models'],
    ['https://chat.example/console/', '/api/v1/', 'https://chat.example/api/v1/models']
  ] as const
  for (const [baseURI, baseUrl, expected] of cases) {
    page.document = { baseURI }
    const { asked, fetch } = noting()
    await createClient({ baseUrl, fetch }).models.list()
    t.equal(asked[0]?.url, expected)
  }
})

t.test("the nearer header wins: the call's over the client's, and both over the key", async (t) => {
  const { asked, fetch } = noting()
  const client = createClient({
    baseUrl: 'https://chat.example/v1',
    apiKey: 'k',
    headers: { 'X-One': 'client', 'x-two': 'client' },
    fetch
  })
  await client.models.list({ headers: { 'x-one': 'call' } })
  const first = asked[0]?.init.headers
  t.strictSame(
    ['x-one', 'x-two', 'authorization'].map((name) => first?.get(name)),
    ['call', 'client', 'Bearer k']
  )
  t.equal(first?.get('content-type'), null, 'what has no body has no type')
  await client.metrics({ headers: { Authorization: 'Bearer metrics' } })
  t.equal(asked[1]?.init.headers.get('authorization'), 'Bearer metrics')
  await client.conversations.create(undefined, { headers: {} })
  t.match(asked[2]?.init, { method: 'POST', body: '{}' })
  t.equal(asked[2]?.init.headers.get('content-type'), 'application/json')
  await client.conversations.delete('conv_1', { keepalive: true })
  t.match(asked[3]?.init, { method: 'DELETE', keepalive: true })
  await client.conversations.delete('conv_1')
  t.notOk('keepalive' in (asked[4]?.init ?? {}))
})

t.test('with AUTH=key the key says whose the conversations are', async (t) => {
  const { app, url, client: stranger } = await startClient(t, { settings: { AUTH: 'key' } })
  const keyOf = async (sessionId: string) => {
    const { key, stored } = newApiKey({ sessionId, name: null, createdAt: Date.now() })
    await app.store.keys.add(stored)
    return key
  }
  const baseUrl = `${url}/v1`
  const alice = createClient({ baseUrl, apiKey: await keyOf('alice') })
  const bobsKey = await keyOf('bob')
  const bob = createClient({ baseUrl, apiKey: async () => bobsKey })
  const { id } = await alice.conversations.create()
  t.match(await alice.chat.stream({ messages: HI }, { conversationId: id }).turn(), { status: 'completed' })
  t.strictSame(await allOf(bob.conversations.list()), [])
  await failsWith(t, bob.conversations.get(id), { status: 404, code: 'conversation_not_found' })
  await failsWith(t, stranger.conversations.get(id), { status: 401, code: 'credential_required' })
  const wrong = createClient({ baseUrl, apiKey: () => `${bobsKey}x` })
  await failsWith(t, allOf(wrong.chat.stream({ messages: HI })), { status: 401, code: 'invalid_api_key' })

  let key: string | undefined
  const later = createClient({ baseUrl, apiKey: () => key })
  await failsWith(t, later.stats.get(), { code: 'credential_required' })
  key = bobsKey
  t.match(await later.stats.get(), { object: 'stats' }, 'it is asked for each time')
  const broken = createClient({ baseUrl, apiKey: () => Promise.reject(new Error('no key at hand')) })
  await t.rejects(broken.models.list(), { message: 'no key at hand' })
})
