import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

/**
 * Tells browsers to take an answer for what its type says, to run nothing of it, and to show it nowhere. For answers
 * that no hook sees; all others get the same from `helmet` below.
 */
export const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

/**
 * Sets them on every answer, streams included. Origins that CORS allows are not hindered: the resource policy is for
 * requests without CORS. `strict-transport-security` is for whatever ends TLS in front of this server, which knows
 * whether a host is to be reached by https alone.
 */
export default fp(
  async (app) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }
      },
      crossOriginOpenerPolicy: false,
      crossOriginResourcePolicy: { policy: 'same-origin' },
      originAgentCluster: false,
      referrerPolicy: { policy: 'no-referrer' },
      strictTransportSecurity: false,
      xDnsPrefetchControl: false,
      xDownloadOptions: false,
      xFrameOptions: { action: 'deny' },
      xPermittedCrossDomainPolicies: false,
      xPoweredBy: false,
      xXssProtection: false
    })
  },
  { name: 'security-headers' }
)
