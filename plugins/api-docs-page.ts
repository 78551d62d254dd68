import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'

/** The page runs what this server sends and nothing else, talks to this server alone, and is shown in no frame. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join(';')

/** The OpenAPI document at `/docs/json`, and a page that shows it at `/docs`. Open to everybody. */
export default fp(
  async (app) => {
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: PAGE_POLICY,
      uiConfig: { layout: 'BaseLayout', deepLinking: true }
    })
  },
  { name: 'api-docs-page', dependencies: ['api-docs'] }
)
