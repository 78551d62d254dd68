import { generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export const AUDIENCE = 'turnkeeper-test'

/** A key pair with the name by which tokens call it. */
export interface SigningKey {
  kid: string
  alg: string
  privateKey: KeyObject
  publicKey: KeyObject
}

export interface Issuer {
  /** What `iss` says. */
  name: string
  /** What makes a service trust this issuer. */
  settings: Record<string, string>
  /** The keys that are published; a test may change the list. */
  keys: SigningKey[]
  /** How often the key set was asked for. */
  fetches: number
  /** Replaces what the key server answers; `null` = the keys. */
  script: ((res: ServerResponse) => void) | null
  /** Claims that are right, for `sub`. */
  claims(sub: unknown, more?: Record<string, unknown>): Record<string, unknown>
  /** A right token of `sub`, signed by the first key. */
  token(sub: string, more?: Record<string, unknown>): string
}

const PAIRS: Record<string, () => { privateKey: KeyObject; publicKey: KeyObject }> = {
  RS: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  Ed: () => generateKeyPairSync('ed25519')
}

export function signingKey(kid: string, alg = 'RS256'): SigningKey {
  const pair = PAIRS[alg.slice(0, 2)]
  if (!pair) throw new Error(`no keys for ${alg}`)
  return { kid, alg, ...pair() }
}

export function publicJwk({ kid, alg, publicKey }: SigningKey): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }
}

export const encoded = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token of any header and payload, right or wrong, signed as `alg` says with `key`. */
export function signed(header: unknown, payload: unknown, { alg, privateKey }: SigningKey): string {
  const text = `${encoded(header)}.${encoded(payload)}`
  const hash = alg.startsWith('Ed') ? null : 'sha256'
  const options = {
    key: privateKey,
    ...(alg === 'PS256' && { padding: 6, saltLength: 32 }), // RSA_PKCS1_PSS_PADDING
    ...(alg === 'ES256' && { dsaEncoding: 'ieee-p1363' as const })
  }
  return `${text}.${sign(hash, Buffer.from(text), options).toString('base64url')}`
}

/** An issuer of tokens, whose key set is on a loopback port; closes with the test. */
export async function startIssuer(t: Test): Promise<Issuer> {
  const keys = [signingKey('key-1')]
  const issuer: Issuer = {
    name: 'https://issuer.example/',
    settings: {},
    keys,
    fetches: 0,
    script: null,
    claims: (sub, more) => {
      const now = Math.floor(Date.now() / 1000)
      return { iss: issuer.name, aud: AUDIENCE, sub, iat: now, exp: now + 86_400, ...more }
    },
    token: (sub, more) => {
      const [key] = issuer.keys
      if (!key) throw new Error('the issuer has no key')
      return signed({ alg: key.alg, kid: key.kid }, issuer.claims(sub, more), key)
    }
  }
  const server = http.createServer((_req, res) => {
    issuer.fetches += 1
    if (issuer.script) return issuer.script(res)
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify({ keys: issuer.keys.map(publicJwk) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  issuer.settings = {
    AUTH: 'jwt',
    JWT_JWKS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    JWT_ISSUER: issuer.name,
    JWT_AUDIENCE: AUDIENCE
  }
  return issuer
}

/** Lets the wall clock of this process jump on by `ms`, until the test ends. */
export function advanceClock(t: Test, ms: number): void {
  const { now } = Date
  Date.now = () => now() + ms
  t.teardown(() => {
    Date.now = now
  })
}
