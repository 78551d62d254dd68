import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'
import { Type } from 'typebox'
import type { Config } from '../config.ts'
import { finishDocument } from './api-document.ts'
import { ErrorView } from './error-shape.ts'

/** How a request says whose it is. */
const CREDENTIALS = {
  none: null,
  header: { type: 'apiKey', in: 'header', name: 'x-session-id' },
  key: { type: 'http', scheme: 'bearer' },
  jwt: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }
} as const

/** In the order in which they are shown. */
const TAGS = ['Chat', 'Responses', 'Conversations', 'Models', 'Operations']

/**
 * Makes the OpenAPI document from the schemas of the routes that are registered after this. It says nothing of this
 * deployment but how clients identify themselves.
 */
export default fp<{ auth: Config['AUTH'] }>(
  async (app, { auth }) => {
    const credential = CREDENTIALS[auth]
    const security = credential ? [{ session: [] }] : []
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Turnkeeper',
          version: '1',
          description: 'An OpenAI-compatible chat proxy that keeps the conversation.',
          license: { name: 'MIT', identifier: 'MIT' }
        },
        servers: [{ url: '/' }],
        tags: TAGS.map((name) => ({ name })),
        ...(credential && { components: { securitySchemes: { session: credential } } })
      },
      convertConstToEnum: false,
      transform: ({ schema, url, route }) => ({
        url: url.replace(/\*$/, ':id'),
        schema: {
          ...schema,
          ...(route.config?.opaqueBody && { body: ANY_BODY }),
          ...(url.startsWith('/v1/') && { security }),
          response: { ...(schema?.response as object), default: ErrorView }
        }
      }),
      transformObject: (made) => ('openapiObject' in made ? finishDocument(made.openapiObject) : {})
    })
  },
  { name: 'api-docs' }
)

const ANY_BODY = Type.Object({}, { additionalProperties: true })
