import fp from 'fastify-plugin'
import type { TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { ApiError } from '../errors.ts'
import { textReader } from '../from-text.ts'
import { parseJson } from '../storage/json-value.ts'
import { type BodyBounds, bodyFault, textFault } from './body-bounds.ts'
import { schemaFault } from './schema-fault.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as the client sent it. */
    rawBody?: Buffer
  }

  interface FastifyContextConfig {
    /** The body is another's to read: `rawBody` is all there is of it. */
    opaqueBody?: boolean
  }
}

/**
 * Checks requests against their TypeBox schemas, and names the field at fault as OpenAI does:
 * `messages[0].role`. Query strings, path parameters and headers are converted to the type asked for; bodies
 * are taken as they are. What is beyond a bound is refused before it costs anything.
 */
export default fp<BodyBounds>(
  async (app, bounds) => {
    app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
      const validator = Compile(schema)
      const read = httpPart === 'body' ? null : textReader(schema as TObject)
      return (given: unknown) => {
        // Returned, not thrown: Fastify turns whatever a validator throws into a 500.
        const beyond = httpPart === 'body' ? bodyFault(given, bounds) : null
        if (beyond) return { error: beyond }
        const value = read ? read(given as Record<string, unknown>) : given
        return validator.Check(value) ? { value } : { error: schemaFault(validator, value, httpPart) }
      }
    })

    app.removeContentTypeParser('text/plain')
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
      if (encoding !== 'identity') {
        const message = 'The body must come without a content-encoding.'
        return done(new ApiError(415, 'unsupported_media_type', message, { param: 'content-encoding' }))
      }
      request.rawBody = body as Buffer
      if (body.length === 0 || request.routeOptions.config?.opaqueBody) return done(null, undefined)
      const beyond = textFault(request.rawBody, bounds)
      if (beyond) return done(beyond)
      parseBody(body.toString('utf8'), done)
    })
    const parseBody = (text: string, done: (err: Error | null, body?: unknown) => void) =>
      app.getDefaultJsonParser('error', 'error')({} as never, text, (err, body) => {
        if (err) return done(new ApiError(400, 'invalid_json', reasonOf(text), { param: 'body', cause: err }))
        done(null, body)
      })
  },
  { name: 'validation' }
)

function reasonOf(text: string): string {
  const valid = parseJson(text) !== undefined
  return valid
    ? 'The body has a forbidden key: __proto__, or prototype in constructor.'
    : 'The body is not valid JSON.'
}
