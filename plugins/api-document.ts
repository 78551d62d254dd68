import { isDeepStrictEqual } from 'node:util'

type Json = ReturnType<typeof JSON.parse>

/**
 * Finishes an OpenAPI document: a schema with a title is written once, as the component of that name, and what a
 * request may leave out is not called required. Throws when two schemas have one title.
 */
export function finishDocument<T extends object>(document: T): T {
  const { paths, components }: Json = document
  const schemas: Record<string, Json> = {}
  const operations = Object.values<object>(paths).flatMap((path) => Object.values<Json>(path))
  for (const operation of operations) {
    for (const parameter of operation.parameters ?? []) finishParameter(parameter)
    if (operation.requestBody) finishBody(operation.requestBody)
  }
  const finished = shared(paths, schemas)
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
  return { ...document, paths: finished, components: { ...components, schemas: sorted } }
}

/** The validation fills in a default. An object in a query is `name[key]=value`. Its description stands outside. */
function finishParameter(parameter: Json): void {
  delete parameter.schema.title
  if (parameter.schema.default !== undefined) parameter.required = false
  if (parameter.in === 'query' && parameter.schema.type === 'object') parameter.style = 'deepObject'
}

/** Where a body may be null, it may as well be missing. */
function finishBody(body: Json): void {
  for (const media of Object.values<Json>(body.content)) {
    const options: Json[] = media.schema.anyOf ?? []
    const [only, ...others] = options.filter(({ type }) => type !== 'null')
    if (options.length === 0 || others.length > 0) continue
    media.schema = only
    body.required = false
  }
}

function shared(node: Json, schemas: Record<string, Json>): Json {
  if (Array.isArray(node)) return node.map((entry) => shared(entry, schemas))
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node).map(([key, value]) => [key, shared(value, schemas)])
  const copy = asEnum(Object.fromEntries(entries))
  if (typeof copy.title !== 'string') return copy
  const { title, ...schema } = copy
  schemas[title] ??= schema
  if (!isDeepStrictEqual(schemas[title], schema)) throw new Error(`two schemas called ${title}`)
  return { $ref: `#/components/schemas/${title}` }
}

/** A choice of constants, which tools know best as an enum. */
function asEnum({ anyOf, ...rest }: Json): Json {
  if (!anyOf?.every((option: Json) => typeof option.const === 'string'))
    return anyOf ? { anyOf, ...rest } : rest
  return { ...rest, type: 'string', enum: anyOf.map((option: Json) => option.const) }
}
