import { createHmac, type KeyObject } from 'node:crypto'
import { encoded, type Issuer, publicJwk, type SigningKey, signed, signingKey } from './issuer.ts'

/** Tokens by name, each of which must be refused. */
export type Forged = Record<string, string>

/** Signed by somebody else, or not at all. `strangerUrl` is where a token may try to lead. */
export function forgedSignatures(
  issuer: Issuer,
  rsa: SigningKey,
  ec: SigningKey,
  strangerUrl: string
): Forged {
  const claims = issuer.claims('anne')
  const attacker = signingKey(rsa.kid)
  const attackerEc = signingKey(ec.kid, 'ES256')
  const header = { alg: 'RS256', kid: rsa.kid }
  const [, , signature = ''] = issuer.token('anne').split('.')
  const forged: Forged = {
    'a key of somebody else': signed(header, claims, attacker),
    'a key of somebody else, without kid': signed({ alg: 'RS256' }, claims, attacker),
    'an EC key of somebody else': signed({ alg: 'ES256', kid: ec.kid }, claims, attackerEc),
    'the signature of another token': `${encoded(header)}.${encoded(issuer.claims('bob'))}.${signature}`,
    'a zero ECDSA signature': `${encoded({ alg: 'ES256', kid: ec.kid })}.${encoded(claims)}.${Buffer.alloc(64).toString('base64url')}`,
    'a token for decryption': `${encoded({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: rsa.kid })}.a.b.c.d`
  }
  for (const alg of [
    'none',
    'None',
    'NONE',
    'nOnE',
    'none ',
    '',
    null,
    undefined,
    0,
    true,
    ['RS256'],
    ['none'],
    {}
  ]) {
    const start = `${encoded({ alg, kid: rsa.kid })}.${encoded(claims)}`
    forged[`alg ${JSON.stringify(alg)}, no signature`] = `${start}.`
    forged[`alg ${JSON.stringify(alg)}, another signature`] = `${start}.${signature}`
    forged[`alg ${JSON.stringify(alg)}, two parts`] = start
  }
  // Signed by the right key, but called by another name.
  const others = [
    'RS1',
    'RS384',
    'RS512',
    'PS256',
    'ES256',
    'EdDSA',
    'rs256',
    'RSA1_5',
    'dir',
    'HS256',
    'A256KW'
  ]
  for (const alg of others) forged[`alg ${alg} by the RSA key`] = signed({ ...header, alg }, claims, rsa)
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    for (const [form, secret] of Object.entries(secretsOf(rsa))) {
      const start = `${encoded({ alg, kid: rsa.kid })}.${encoded(claims)}`
      const mac = createHmac(`sha${alg.slice(2)}`, secret)
        .update(start)
        .digest('base64url')
      forged[`${alg} with the public key as ${form}`] = `${start}.${mac}`
    }
  }
  const jwk = publicJwk(attacker)
  const x5c = [attacker.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')]
  const led = { jwk, jku: strangerUrl, x5u: strangerUrl, x5c, 'jku and jwk': undefined }
  for (const [name, value] of Object.entries(led)) {
    const more = value === undefined ? { jwk, jku: strangerUrl } : { [name]: value }
    forged[`${name}, known kid`] = signed({ ...header, ...more }, claims, attacker)
    forged[`${name}, unknown kid`] = signed({ alg: 'RS256', kid: 'attacker', ...more }, claims, attacker)
  }
  const kids = [
    ...[
      'unknown',
      '',
      ' ',
      `${rsa.kid} `,
      rsa.kid.toUpperCase(),
      '../../../../dev/null',
      '/dev/null',
      '..%2f'
    ],
    ...[
      "' or 1=1--",
      "x' union select 'k",
      '$(id)',
      '|id',
      '__proto__',
      'constructor',
      'toString',
      strangerUrl
    ],
    ...['\u0000', 'a'.repeat(4096), 1, 0, null, true, [rsa.kid], { kid: rsa.kid }]
  ]
  for (const kid of kids) {
    const name = `kid ${JSON.stringify(kid).slice(0, 30)}`
    forged[`${name} by somebody else`] = signed({ alg: 'RS256', kid }, claims, attacker)
    // A right signature whose key the set does not have under this name.
    if (typeof kid === 'string') forged[name] = signed({ alg: 'RS256', kid }, claims, rsa)
  }
  return forged
}

/** The public key in every form that a careless library could take for a shared secret. */
function secretsOf({ publicKey, ...key }: SigningKey): Record<string, string | Buffer> {
  const pem = (of: KeyObject, type: 'spki' | 'pkcs1') => of.export({ format: 'pem', type }).toString()
  const spki = pem(publicKey, 'spki')
  const jwk = publicJwk({ publicKey, ...key })
  return {
    PEM: spki,
    'PEM with a newline before it': `\n${spki}`,
    'PEM without its last newline': spki.trimEnd(),
    'PEM in CRLF': spki.replaceAll('\n', '\r\n'),
    'PEM of PKCS 1': pem(publicKey, 'pkcs1'),
    DER: publicKey.export({ format: 'der', type: 'spki' }),
    'DER of PKCS 1': publicKey.export({ format: 'der', type: 'pkcs1' }),
    JWK: JSON.stringify(jwk),
    modulus: Buffer.from(String(jwk.n), 'base64url'),
    nothing: ''
  }
}

/** Signed by the issuer, and yet not for this service, this time or any session. */
export function forgedClaims(issuer: Issuer, rsa: SigningKey): Forged {
  const now = Math.floor(Date.now() / 1000)
  const wrong: Record<string, unknown[]> = {
    iss: [undefined, null, '', 'https://evil.example/', issuer.name.slice(0, -1), `${issuer.name}x`, 1, {}],
    aud: [
      undefined,
      null,
      '',
      'other',
      [],
      ['other'],
      [['turnkeeper-test']],
      'turnkeeper-test ',
      'turnkeeper',
      1,
      {}
    ],
    exp: [
      undefined,
      null,
      '',
      now - 60,
      now - 86_400,
      0,
      -1,
      String(now + 60),
      true,
      [now + 60],
      {},
      '2099-01-01'
    ],
    nbf: [now + 60, now + 86_400, String(now), null, true, [0], '', {}],
    sub: [
      ...[undefined, null, '', 0, 1, true, false, [], ['anne'], {}, { sub: 'anne' }, 'x'.repeat(257)],
      ...['a\nb', 'a\u0000', '\u007f', '\u0085', '\t', 'a\ud800', '\udc00a', '\ud83d']
    ]
  }
  wrong.iss?.push([issuer.name], issuer.name.toUpperCase())
  const header = { alg: 'RS256', kid: rsa.kid }
  const forged: Forged = {}
  for (const [claim, values] of Object.entries(wrong)) {
    for (const value of values) {
      const name = `${claim} ${JSON.stringify(value)?.slice(0, 40)}`
      forged[name] = signed(header, issuer.claims('anne', { [claim]: value }), rsa)
    }
  }
  const odd = {
    array: [issuer.claims('anne')],
    null: null,
    number: 1,
    string: '"anne"',
    nothing: '',
    text: 'anne'
  }
  for (const [name, payload] of Object.entries(odd)) forged[`payload: ${name}`] = signed(header, payload, rsa)
  forged['payload: a token'] = signed({ ...header, cty: 'JWT' }, issuer.token('anne'), rsa)
  for (const exp of ['1e999', '-1e999', 'NaN', 'Infinity']) {
    const text = JSON.stringify(issuer.claims('anne', { exp: 0 })).replace('"exp":0', `"exp":${exp}`)
    forged[`exp ${exp}`] = signed(header, text, rsa)
  }
  return forged
}

/** A right token, bent; and right signatures under headers that ask for what is not understood here. */
export function forgedForms(issuer: Issuer, rsa: SigningKey): Forged {
  const token = issuer.token('anne')
  const [header = '', payload = '', signature = ''] = token.split('.')
  const standard = { alg: 'RS256', kid: rsa.kid }
  const claims = issuer.claims('anne')
  const forged: Forged = {}
  const headers: object[] = [
    ...[
      { crit: ['exp'] },
      { crit: ['b64'] },
      { crit: [] },
      { crit: 'exp' },
      { crit: ['alg'] },
      { crit: null }
    ],
    ...[
      { crit: ['b64'], b64: false },
      { crit: ['b64'], b64: true, x: 1 },
      { crit: ['x'], x: 1 },
      { crit: ['jku'] }
    ]
  ].filter((more) => !('x' in more && 'b64' in more))
  for (const more of headers) {
    forged[`header ${JSON.stringify(more)}`] = signed({ ...standard, ...more }, claims, rsa)
  }
  for (const text of ['', '{', '[]', 'null', '"x"', '{"alg":"RS256"', '\u0000']) {
    forged[`header ${JSON.stringify(text)}`] = signed(text, claims, rsa)
  }
  for (const part of [
    1,
    5,
    header.length,
    header.length + payload.length,
    token.length - 300,
    token.length - 1
  ]) {
    forged[`the first ${part} characters`] = token.slice(0, part)
  }
  const bent = {
    'no signature': `${header}.${payload}.`,
    'no payload': `${header}..${signature}`,
    'no header': `.${payload}.${signature}`,
    'points alone': '..',
    'one point': '.',
    'a point too many behind': `${token}.`,
    'a point too many before': `.${token}`,
    'a point too many inside': `${header}..${payload}.${signature}`,
    'four parts': `${token}.${signature}`,
    'parts exchanged': `${payload}.${header}.${signature}`,
    'padding behind': `${token}=`,
    'padding behind, twice': `${token}==`,
    'padding in each part': `${header}=.${payload}=.${signature}=`,
    'padding of the header': `${header}==.${payload}.${signature}`,
    'standard base64': `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('base64')}`,
    'a percent sign': token.replace('.', '%2e'),
    'a comma': token.replace('.', ','),
    quotes: `"${token}"`,
    'a newline, encoded': `${token}%0a`,
    'a tab, encoded': `${token.slice(0, 20)}%09${token.slice(20)}`,
    capitals: token.toUpperCase(),
    hexadecimal: Buffer.from(token).toString('hex'),
    'base64 of all': encoded(token),
    'JSON serialization': JSON.stringify({ protected: header, payload, signature }),
    'a signature one byte longer': `${header}.${payload}.${signature}AA`,
    'a signature one byte shorter': `${header}.${payload}.${signature.slice(0, -2)}`,
    'another first byte': `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    'a key of ours': `tk_${'a'.repeat(16)}_${'A'.repeat(43)}`,
    'any string': 'any-string',
    'a long token': `${header}.${'a'.repeat(12_000)}.${signature}`
  }
  return Object.assign(forged, bent)
}
