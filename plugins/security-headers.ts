import fp from 'fastify-plugin'

/**
 * Tells browsers to take an answer for what its type says, to run nothing of it, and to show it nowhere. Origins that
 * CORS allows are not hindered: the resource policy is for requests without CORS. `strict-transport-security` is for
 * whatever ends TLS in front of this server, which knows whether a host is to be reached by https alone.
 */
export const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

/** Sets them on every answer, streams included. Those that no hook sees set them by themselves. */
export default fp(
  async (app) => {
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers(SECURITY_HEADERS)
      done()
    })
  },
  { name: 'security-headers' }
)
