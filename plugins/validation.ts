import fp from 'fastify-plugin'
import type { TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { ApiError } from '../errors.ts'
import { textReader } from '../from-text.ts'
import type { Json, JsonObject } from '../storage/contract.ts'
import { isObject, parseJson } from '../storage/json-value.ts'
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
      const parsed = parseJson(request.rawBody.toString('utf8').replace(/^\uFEFF/, ''))
      if (parsed === undefined) return done(unreadable('The body is not valid JSON.'))
      if (hasForbiddenKey(parsed))
        return done(unreadable('The body has a forbidden key: __proto__, or prototype in constructor.'))
      done(null, parsed)
    })
  },
  { name: 'validation' }
)

function unreadable(message: string): ApiError {
  return new ApiError(400, 'invalid_json', message, { param: 'body' })
}

/** Whether a member has a name with which careless code changes what all objects have in common. */
function hasForbiddenKey(body: Json): boolean {
  const open: Json[] = [body]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue
    if (Object.hasOwn(value, '__proto__')) return true
    const own = Object.hasOwn(value, 'constructor') ? (value as JsonObject).constructor : null
    if (isObject(own) && Object.hasOwn(own, 'prototype')) return true
    for (const inner of Object.values(value)) if (typeof inner === 'object') open.push(inner)
  }
  return false
}
