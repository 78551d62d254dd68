import { Compile } from 'typebox/compile'
import { request } from './request.ts'

type Json = ReturnType<typeof JSON.parse>

export interface Operation {
  id: string
  /** In capitals. */
  method: string
  /** As documented, with `{name}` for parameters. */
  path: string
  /** The operation object. */
  about: Json
}

export async function documentAt(url: string): Promise<Json> {
  return (await request(`${url}/docs/json`)).json
}

export function operationsOf(document: Json): Operation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, about]) => ({
      id: about.operationId,
      method: method.toUpperCase(),
      path,
      about
    }))
  )
}

/** Where a `$ref` leads; undefined when nowhere. */
export function follow(document: Json, ref: string): Json {
  return ref
    .replace(/^#\//, '')
    .split('/')
    .reduce((node, name) => node?.[name], document)
}

/** Every object within `node`, itself included. */
export function objectsIn(node: Json): Json[] {
  if (typeof node !== 'object' || node === null) return []
  return [...(Array.isArray(node) ? [] : [node]), ...Object.values(node).flatMap(objectsIn)]
}

/**
 * What `body` does against the documented answer with this status, in words; a property that is not documented counts
 * where the schema does not say that there are others.
 */
export function faultsOf(document: Json, { about }: Operation, status: number, type: string, body: unknown) {
  const answer = about.responses[status] ?? about.responses.default
  const media = answer.content[type.split(';')[0] ?? '']
  if (!media) return [`${type} is not documented`]
  const schema = closed(document, media.schema)
  return Compile(schema)
    .Errors(body)
    .map(({ instancePath, message }) => `${instancePath} ${message}`)
}

/** The schema without references, and with no more properties than it names. */
function closed(document: Json, node: Json): Json {
  if (Array.isArray(node)) return node.map((entry) => closed(document, entry))
  if (typeof node !== 'object' || node === null) return node
  if (typeof node.$ref === 'string') return closed(document, follow(document, node.$ref))
  const entries = Object.entries(node).map(([key, value]) => [key, closed(document, value)])
  const copy = Object.fromEntries(entries)
  return copy.type === 'object' ? { additionalProperties: false, ...copy } : copy
}
