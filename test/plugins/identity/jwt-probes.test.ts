import t from 'tap'
import { forgedClaims, forgedForms, forgedSignatures } from '../../helper/forged-tokens.ts'
import { bearer, startGuarded, TO_CHAT } from '../../helper/guarded.ts'
import { type SigningKey, signingKey, startIssuer } from '../../helper/issuer.ts'
import { misplaced } from '../../helper/misplaced.ts'
import { startStranger } from '../../helper/stranger.ts'

t.test('no request gets past AUTH=jwt without a right token in the right place', async (t) => {
  const issuer = await startIssuer(t)
  const stranger = await startStranger(t)
  const rsa = issuer.keys[0] as SigningKey
  const ec = signingKey('key-2', 'ES256')
  issuer.keys.push(ec)
  const { send, refuse, stored, log, upstream } = await startGuarded(t, issuer.settings)
  const token = issuer.token('anne')
  t.equal((await send({ headers: [bearer(token)] })).status, 200, 'a right token passes')
  t.equal((await send({ ...TO_CHAT, headers: [bearer(token)] })).status, 200)

  const before = await stored()
  const forged = {
    ...forgedSignatures(issuer, rsa, ec, `http://${stranger.host}/keys`),
    ...forgedClaims(issuer, rsa),
    ...forgedForms(issuer, rsa)
  }
  const answers = new Set<string>()
  for (const [name, text] of Object.entries(forged)) {
    const wrong = { headers: [bearer(text)], status: 401, code: 'invalid_token' }
    const { head, text: said } = await refuse(t, { name, ...wrong })
    await refuse(t, { name: `${name} to chat`, ...TO_CHAT, ...wrong })
    answers.add(head + said)
  }
  t.equal(answers.size, 1, 'whatever is wrong, the answer is the same')
  t.match([...answers][0], /www-authenticate: Bearer error="invalid_token"/i)

  const others = misplaced(token)
  for (const probe of others) {
    const { head, text } = await refuse(t, probe)
    t.notOk((head + text).includes(token), `${probe.name}: not quoted`)
    if (!probe.method && !probe.target)
      await refuse(t, { ...probe, ...TO_CHAT, name: `${probe.name} to chat` })
  }
  const count = Object.keys(forged).length
  t.comment(`${count} wrong tokens and ${others.length} other requests`)
  t.ok(count + others.length >= 250)
  t.equal(await stored(), before, 'nothing was stored')
  t.equal(upstream.calls.length, 1, 'nothing went to the upstream')
  t.same(stranger.heard, [], 'no address in a token was visited')
  t.equal(issuer.fetches, 1, 'and the key set was read once')
  t.equal((await send({ headers: [bearer(token)] })).status, 200, 'the right token still passes')

  const [, payload = '', signature = ''] = token.split('.')
  for (const secret of [payload, signature, 'issuer.example']) {
    t.notOk(log().includes(secret), 'no log has a token or a claim')
    t.notOk(JSON.stringify(upstream.calls).includes(secret), 'nor has the upstream seen it')
  }
})
