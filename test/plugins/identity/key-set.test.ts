import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { eventually } from '../../helper/endings.ts'
import { bearer, startGuarded, TO_CHAT } from '../../helper/guarded.ts'
import { advanceClock, publicJwk, signed, signingKey, startIssuer } from '../../helper/issuer.ts'
import { startStranger } from '../../helper/stranger.ts'

const UNAVAILABLE = { status: 503, code: 'auth_unavailable' }

/** What a key server can do instead of giving its keys. */
const FAILURES: Record<string, (res: ServerResponse) => void> = {
  'cuts the connection': (res) => void res.destroy(),
  'answers 500': (res) => void res.writeHead(500).end('{"keys":[]}'),
  'answers 404': (res) => void res.writeHead(404).end('not here'),
  'answers 204': (res) => void res.writeHead(204).end(),
  'sends what is no JSON': (res) => void res.end('<html>'),
  'sends what is no key set': (res) => void res.end('{"keys":"none"}'),
  'sends null': (res) => void res.end('null'),
  'breaks off': (res) => {
    res.writeHead(200, { 'content-length': '1000' })
    res.write('{"keys":[', () => res.destroy())
  },
  'never answers': () => {},
  'never ends': (res) => void res.writeHead(200).write('{"keys":[')
}

async function failing(t: Test, script: (res: ServerResponse) => void) {
  const issuer = await startIssuer(t)
  issuer.script = script
  return { issuer, ...(await startGuarded(t, issuer.settings)) }
}

t.test(
  'while the key server gives no keys a token is a 503 and not a 401, then it is well again',
  async (t) => {
    const recovers = async ([what, script]: [string, (res: ServerResponse) => void]) => {
      const { issuer, refuse, send, upstream } = await failing(t, script)
      const headers = [bearer(issuer.token('anne'))]
      const startedAt = performance.now()
      const { head } = await refuse(t, { name: what, headers, ...TO_CHAT, ...UNAVAILABLE })
      t.ok(performance.now() - startedAt < 20_000, `${what}: in a bounded time`)
      t.match(head, /^retry-after: 1\r$/im, what)
      t.equal(upstream.calls.length, 0, what)
      await refuse(t, { name: `${what}, no token`, status: 401, code: 'credential_required' })
      issuer.script = null
      await eventually('a pass', async () => (await send({ headers })).status === 200)
    }
    await Promise.all(Object.entries(FAILURES).map(recovers))
  }
)

t.test('a redirect of the key server is not followed', async (t) => {
  const stranger = await startStranger(t)
  for (const status of [301, 302, 303, 307, 308]) {
    const { issuer, refuse } = await failing(t, (res) => {
      res.writeHead(status, { location: `http://${stranger.host}/keys` }).end()
    })
    await refuse(t, { name: String(status), headers: [bearer(issuer.token('anne'))], ...UNAVAILABLE })
  }
  t.same(stranger.heard, [])
})

t.test('a key server that fails is asked once a second, however many ask', async (t) => {
  for (const what of ['answers 500', 'sends what is no JSON', 'cuts the connection']) {
    const { issuer, refuse } = await failing(t, FAILURES[what] ?? (() => {}))
    const headers = [bearer(issuer.token('anne'))]
    const startedAt = performance.now()
    for (let i = 0; i < 50; i += 1) await refuse(t, { name: `request ${i}`, headers, ...UNAVAILABLE })
    const seconds = Math.ceil((performance.now() - startedAt) / 1000)
    t.ok(issuer.fetches <= seconds, `${what}: ${issuer.fetches} reads in ${seconds} s`)
  }
})

t.test('keys that are known serve on while the key server is down, for ten minutes', async (t) => {
  const { issuer, refuse, send } = await failing(t, () => {})
  issuer.script = null
  const headers = [bearer(issuer.token('anne'))]
  t.equal((await send({ headers })).status, 200)
  issuer.script = (res) => void res.destroy()
  advanceClock(t, 540_000)
  t.equal((await send({ headers })).status, 200)
  const unknown = signed({ alg: 'RS256', kid: 'key-9' }, issuer.claims('anne'), signingKey('key-9'))
  await refuse(t, { name: 'a key id that might be new', headers: [bearer(unknown)], ...UNAVAILABLE })
  t.equal((await send({ headers })).status, 200, 'and does no harm to the others')
  advanceClock(t, 120_000)
  await refuse(t, { name: 'after that', headers, ...UNAVAILABLE })
})

t.test('a set with a key that nobody should use opens nothing', async (t) => {
  const { issuer, refuse } = await failing(t, (res) => {
    const [key = signingKey('none')] = issuer.keys
    const { n, ...rest } = publicJwk(key)
    res.end(JSON.stringify({ keys: [{ ...rest, n: String(n).slice(0, 100) }] }))
  })
  await refuse(t, { name: 'a short key', headers: [bearer(issuer.token('anne'))], ...UNAVAILABLE })
})
