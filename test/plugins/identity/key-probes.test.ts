import { createHash } from 'node:crypto'
import t from 'tap'
import { addKey, bearer, startGuarded, TO_CHAT } from '../../helper/guarded.ts'
import { misplaced } from '../../helper/misplaced.ts'

/** Keys that are nearly right. */
function forged(key: string, other: string): string[] {
  const [, id = '', ...rest] = key.split('_')
  const secret = rest.join('_')
  const [, otherId = '', ...otherRest] = other.split('_')
  const hash = createHash('sha256').update(secret).digest()
  const flipped = (text: string, i: number) =>
    text.slice(0, i) + (text[i] === 'a' ? 'b' : 'a') + text.slice(i + 1)
  const of = (...parts: string[]) => parts.join('_')
  return [
    ...Array.from(id, (_, i) => of('tk', flipped(id, i), secret)),
    ...Array.from(secret, (_, i) => of('tk', id, flipped(secret, i))),
    // Other spellings of the same bytes: 43 characters have two bits too many.
    ...[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      .filter((last) => !secret.endsWith(last))
      .map((last) => of('tk', id, secret.slice(0, -1) + last)),
    of('tk', otherId, secret),
    of('tk', id, otherRest.join('_')),
    of('tk', id.toUpperCase(), secret),
    of('TK', id, secret),
    of('sk', id, secret),
    of('tk', secret, id),
    of('tk', id),
    of('tk', id, ''),
    of('tk', '', secret),
    of(id, secret),
    secret,
    id,
    `tk${id}${secret}`,
    key.replaceAll('_', '-'),
    `${key}=`,
    `${key}==`,
    `${key}a`,
    `${key}.`,
    `${key},`,
    `${key};`,
    `"${key}"`,
    `<${key}>`,
    key.slice(0, -1),
    key.slice(0, 30),
    key.slice(1),
    `${key}${key}`,
    `${key}_${other}`,
    `${key}%00`,
    `${key}%20`,
    encodeURIComponent(`${key} `),
    key.toUpperCase(),
    key.toLowerCase().replace(/.$/, 'A'),
    [...key].reverse().join(''),
    Buffer.from(key).toString('base64'),
    Buffer.from(key).toString('hex'),
    of('tk', id, hash.toString('hex')),
    of('tk', id, hash.toString('base64url')),
    of('tk', id, Buffer.alloc(32).toString('base64url')),
    of('tk', id, 'A'.repeat(43)),
    of('tk', '%'.repeat(16), secret),
    of('tk', '*'.repeat(16), secret),
    of('tk', '_'.repeat(16), secret),
    of('tk', `${id.slice(0, 15)}%`, secret),
    of('tk', `${id}'--`, secret),
    of('tk', `'or'1'='1'--`.padEnd(16, '-'), secret),
    of('tk', '../../../../../x', secret),
    of('tk', `.keys/${id}`, secret),
    of('tk', `${id}.json`, secret),
    of('tk', '__proto__', secret),
    of('tk', 'constructor', secret),
    of('tk', '{"$ne":null}', '{"$ne":null}'),
    'null',
    'undefined',
    'true',
    '0',
    '-',
    '*',
    'any-string',
    'sk-proj-1234567890',
    'Bearer',
    `tk_${'a'.repeat(12_000)}`,
    'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm5lIn0.'
  ]
}

t.test('no request gets past AUTH=key without a right key in the right place', async (t) => {
  const { app, send, refuse, stored, log, upstream } = await startGuarded(t, { AUTH: 'key' })
  const key = await addKey(app, 'anne')
  const other = await addKey(app, 'bob')
  const revoked = await addKey(app, 'carl')
  await app.store.keys.remove(revoked.split('_')[1] ?? '')
  t.equal((await send({ headers: [bearer(key)] })).status, 200, 'a right key passes')
  t.equal((await send({ ...TO_CHAT, headers: [bearer(key)] })).status, 200)

  const before = await stored()
  const answers = new Set<string>()
  const keys = [...forged(key, other), revoked]
  const wrong = { status: 401, code: 'invalid_api_key' }
  for (const text of keys) {
    for (const to of [{}, TO_CHAT]) {
      const name = `${text.slice(0, 80)} ${to === TO_CHAT ? 'to chat' : ''}`
      const { head, text: said } = await refuse(t, { name, headers: [bearer(text)], ...to, ...wrong })
      answers.add(head + said)
    }
  }
  t.equal(answers.size, 1, 'unknown, wrong, revoked, malformed: every key is refused in the same bytes')
  t.match([...answers][0], /www-authenticate: Bearer error="invalid_token"/i)

  const others = misplaced(key)
  for (const probe of others) {
    const { head, text } = await refuse(t, probe)
    t.notOk((head + text).includes(key), `${probe.name}: not quoted`)
    if (probe.code === 'credential_required') t.match(head, /^www-authenticate: Bearer\r$/im)
    if (!probe.method && !probe.target)
      await refuse(t, { ...probe, ...TO_CHAT, name: `${probe.name} to chat` })
  }
  t.comment(`${keys.length} wrong keys and ${others.length} other requests`)
  t.ok(keys.length + others.length >= 200)
  t.equal(await stored(), before, 'nothing was stored')
  t.equal(upstream.calls.length, 1, 'nothing went to the upstream')
  t.equal((await send({ headers: [bearer(key)] })).status, 200, 'the right key still passes')

  for (const secret of [key, other, revoked]) {
    t.notOk(log().includes(secret.slice(-43)), 'no log has a secret')
    t.notOk(JSON.stringify(upstream.calls).includes(secret.slice(-43)), 'nor has the upstream seen it')
  }
})
