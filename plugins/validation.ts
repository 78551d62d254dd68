import fp from 'fastify-plugin'
import type { TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { ApiError } from '../errors.ts'
import { fromText } from '../from-text.ts'
import type { Json } from '../storage/contract.ts'
import { isTooDeep, MAX_DEPTH, parseJson } from '../storage/json-value.ts'

interface SchemaFault {
  keyword: string
  instancePath: string
  message: string
  params: { requiredProperties?: string[]; additionalProperties?: string[] }
}

/**
 * Checks requests against their TypeBox schemas, and names the field at fault as OpenAI does:
 * `messages[0].role`. Query strings, path parameters and headers are converted to the type asked for; bodies
 * are taken as they are.
 */
export default fp(
  async (app) => {
    app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
      const validator = Compile(schema)
      return (given: unknown) => {
        // Returned, not thrown: Fastify turns whatever a validator throws into a 500.
        const tooDeep = httpPart === 'body' ? depthFault(given) : null
        if (tooDeep) return { error: tooDeep }
        const value =
          httpPart === 'body' ? given : fromText(schema as TObject, given as Record<string, unknown>)
        if (validator.Check(value)) return { value }
        const faults = validator.Errors(value) as unknown as SchemaFault[]
        return { error: toError(deepest(faults), httpPart) }
      }
    })

    app.removeContentTypeParser('text/plain')
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      request.rawBody = body as Buffer
      if (body.length === 0) return done(null, undefined)
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

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as the client sent it. */
    rawBody?: Buffer
  }
}

function reasonOf(text: string): string {
  const valid = parseJson(text) !== undefined
  return valid
    ? 'The body has a forbidden key: __proto__, or prototype in constructor.'
    : 'The body is not valid JSON.'
}

/** Of several faults, as a union reports them, the one that lies deepest says most. */
function deepest(faults: SchemaFault[]): SchemaFault {
  const depth = (fault: SchemaFault) => fault.instancePath.split('/').length
  // `boolean` only repeats, one level deeper, what `additionalProperties` says.
  const telling = faults.filter((fault) => fault.keyword !== 'boolean')
  return telling.reduce((best, fault) => (depth(fault) > depth(best) ? fault : best))
}

function toError(fault: SchemaFault, httpPart: string | undefined): ApiError {
  const field = pathOf(fault.instancePath.split('/').slice(1))
  const missing = fault.params.requiredProperties?.[0]
  const unknown = fault.params.additionalProperties?.[0]
  const within = (name: string) => (field ? `${field}.${name}` : name)
  if (missing !== undefined) {
    const param = within(missing)
    return new ApiError(400, 'missing_required_parameter', `Missing required parameter: '${param}'.`, {
      param
    })
  }
  if (unknown !== undefined) {
    const param = within(unknown)
    return new ApiError(400, 'unknown_parameter', `Unknown parameter: '${param}'.`, { param })
  }
  const param = field || httpPart || 'body'
  return new ApiError(400, 'invalid_value', `Invalid '${param}': ${fault.message}.`, { param })
}

/** `['messages', '0', 'role']` as `messages[0].role`. */
function pathOf(segments: string[]): string {
  return segments.reduce((path, segment) => {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~')
    if (/^\d+$/.test(name)) return `${path}[${name}]`
    return path ? `${path}.${name}` : name
  }, '')
}

function depthFault(body: unknown): ApiError | null {
  if (!isTooDeep(body as Json)) return null
  const open: { value: unknown; path: string[] }[] = [{ value: body, path: [] }]
  for (let next = open.pop(); next; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue
    if (next.path.length >= MAX_DEPTH) {
      const param = pathOf(next.path.slice(0, 3)) || 'body'
      return new ApiError(
        400,
        'invalid_value',
        `Invalid '${param}': nested deeper than ${MAX_DEPTH} levels.`,
        { param }
      )
    }
    for (const [key, value] of Object.entries(next.value)) {
      if (typeof value === 'object' && value !== null) open.push({ value, path: [...next.path, key] })
    }
  }
  return null
}
