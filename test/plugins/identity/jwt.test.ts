import t from 'tap'
import { bearer, startGuarded } from '../../helper/guarded.ts'
import { AUDIENCE, advanceClock, encoded, signed, signingKey, startIssuer } from '../../helper/issuer.ts'
import { request } from '../../helper/request.ts'

const now = () => Math.floor(Date.now() / 1000)

t.test('every asymmetric way of signing is taken', async (t) => {
  const issuer = await startIssuer(t)
  const { send } = await startGuarded(t, issuer.settings)
  issuer.keys = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'].map((alg) => signingKey(`key-${alg}`, alg))
  for (const key of issuer.keys) {
    const token = signed({ alg: key.alg, kid: key.kid, typ: 'JWT' }, issuer.claims('anne'), key)
    t.equal((await send({ headers: [bearer(token)] })).status, 200, key.alg)
  }
  t.equal(issuer.fetches, 1, 'with one read of the key set')
})

t.test('a token may be for several services, and clocks may differ by half a minute', async (t) => {
  const issuer = await startIssuer(t)
  const { send } = await startGuarded(t, issuer.settings)
  for (const more of [{ aud: ['other', AUDIENCE] }, { exp: now() - 15 }, { nbf: now() + 15 }, { nbf: 0 }]) {
    t.equal((await send({ headers: [bearer(issuer.token('anne', more))] })).status, 200, JSON.stringify(more))
  }
})

t.test('without a kid the only key of the set is meant, and of two none', async (t) => {
  const issuer = await startIssuer(t)
  const { send } = await startGuarded(t, issuer.settings)
  const [key = signingKey('none')] = issuer.keys
  const token = signed({ alg: 'RS256' }, issuer.claims('anne'), key)
  t.equal((await send({ headers: [bearer(token)] })).status, 200)
  issuer.keys.push(signingKey('key-2'))
  const { send: another } = await startGuarded(t, issuer.settings)
  t.equal((await another({ headers: [bearer(token)] })).status, 401)
})

t.test('the session is the claim, and nothing else that a client sends', async (t) => {
  const issuer = await startIssuer(t)
  const { url } = await startGuarded(t, { ...issuer.settings, JWT_SESSION_CLAIM: 'https://x.example/tenant' })
  const as = (tenant: unknown, sub = 'same') => ({
    authorization: `Bearer ${issuer.token(sub, { 'https://x.example/tenant': tenant })}`
  })
  const conversations = `${url}/v1/conversations`
  const { id } = (await request(conversations, { body: {}, headers: as('a') })).json
  const statusOf = async (headers: Record<string, string>) =>
    (await request(`${conversations}/${id}`, { headers })).status
  t.equal(await statusOf(as('a', 'another')), 200)
  t.equal(await statusOf(as('b')), 404)
  t.equal(await statusOf({ ...as('b'), 'x-session-id': 'a' }), 404)
  t.equal(await statusOf(as(undefined, 'a')), 401, 'sub does not stand in for it')
  for (const odd of ['ä ö', '用户', '😀'.repeat(256), "o'brien", '__proto__', ' ', '../x']) {
    const made = await request(conversations, { body: {}, headers: as(odd) })
    t.equal(made.status, 200, odd.slice(0, 10))
    const listed = await request(conversations, { headers: as(odd) })
    t.same(
      listed.json.data.map((entry: { id: string }) => entry.id),
      [made.json.id]
    )
  }
})

t.test('a token ends when it says so, on an instance that has seen it before', async (t) => {
  const issuer = await startIssuer(t)
  const { send } = await startGuarded(t, issuer.settings)
  const token = issuer.token('anne', { exp: now() - 28 })
  const statuses: number[] = []
  const deadline = performance.now() + 10_000
  while (statuses.at(-1) !== 401 && performance.now() < deadline) {
    statuses.push((await send({ headers: [bearer(token)] })).status)
  }
  t.equal(statuses[0], 200)
  t.equal(statuses.at(-1), 401)
})

t.test('a token whose payload was changed is refused, whoever it names', async (t) => {
  const issuer = await startIssuer(t)
  const { send } = await startGuarded(t, issuer.settings)
  const [header, , signature] = issuer.token('anne').split('.')
  for (const sub of ['anne', 'bob']) {
    const token = [header, encoded(issuer.claims(sub, { extra: 1 })), signature].join('.')
    t.equal((await send({ headers: [bearer(token)] })).status, 401)
  }
})

t.test('the log says why a token was refused, and nothing of what it said', async (t) => {
  const issuer = await startIssuer(t)
  const { send, log } = await startGuarded(t, issuer.settings)
  await send({ headers: [bearer(issuer.token('anne-canary', { exp: 1 }))] })
  t.match(log(), '"refused":"ERR_JWT_EXPIRED"')
  t.notMatch(log(), /anne-canary|issuer\.example/)
})

t.test('new keys of the issuer are found, at most one read of its set every 30 seconds', async (t) => {
  const issuer = await startIssuer(t)
  const { send } = await startGuarded(t, issuer.settings)
  const statusOf = async (token: string) => (await send({ headers: [bearer(token)] })).status
  const old = issuer.token('anne')
  t.equal(await statusOf(old), 200)

  issuer.keys = [signingKey('key-2')]
  const rotated = issuer.token('anne')
  t.equal(await statusOf(rotated), 401, 'not yet: the set was read a moment ago')
  advanceClock(t, 31_000)
  t.equal(await statusOf(rotated), 200)
  t.equal(await statusOf(old), 401, 'the key that was withdrawn is gone')
  t.equal(issuer.fetches, 2)

  const stranger = signingKey('x')
  const invented = (i: number) =>
    signed({ alg: 'RS256', kid: `invented-${i}` }, issuer.claims('anne'), stranger)
  for (let i = 0; i < 100; i += 1) t.equal(await statusOf(invented(i)), 401)
  t.equal(issuer.fetches, 2, 'invented key ids cause no read')
  advanceClock(t, 31_000)
  for (let i = 0; i < 100; i += 1) await statusOf(invented(i))
  t.equal(issuer.fetches, 3, 'but for one when the time has come')
})
