import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Test } from 'tap'
import type { Store } from '../../storage/contract.ts'
import { newApiKey } from '../../storage/keys/api-key.ts'

/** How a client says whose session it speaks for. */
export interface Identity {
  settings: Record<string, string>
  /** The headers of a request for `session`, on a service that runs on this store. */
  headersOf(store: Pick<Store, 'keys'>, session: string): Promise<Record<string, string>>
}

/** Every value of `AUTH`. `none` knows one session alone. */
export const IDENTITIES: Record<string, (t: Test) => Promise<Identity>> = {
  none: async () => ({ settings: { AUTH: 'none' }, headersOf: async () => ({}) }),

  header: async () => ({
    settings: { AUTH: 'header' },
    headersOf: async (_store, session) => ({ 'x-session-id': session })
  }),

  key: async () => ({
    settings: { AUTH: 'key' },
    async headersOf(store, sessionId) {
      const { key, stored } = newApiKey({ sessionId, name: null, createdAt: Date.now() })
      await store.keys.add(stored)
      return { authorization: `Bearer ${key}` }
    }
  }),

  jwt: async (t) => {
    const issuer = await startIssuer(t)
    const settings = {
      AUTH: 'jwt',
      JWT_JWKS_URL: issuer.url,
      JWT_ISSUER: 'https://issuer.test',
      JWT_AUDIENCE: 'turnkeeper'
    }
    const headersOf: Identity['headersOf'] = async (_store, session) => ({
      authorization: `Bearer ${await issuer.tokenFor(session)}`
    })
    return { settings, headersOf }
  }
}

/** Serves its public key on a loopback socket and signs tokens that fit the settings above. */
async function startIssuer(t: Test) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }]
  const server = http.createServer((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    tokenFor: (session: string) =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setSubject(session)
        .setIssuer('https://issuer.test')
        .setAudience('turnkeeper')
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey)
  }
}
