import type { TObject, TProperties } from 'typebox'

const WHOLE_NUMBER = /^-?\d{1,15}$/

/**
 * Reads values that arrived as text, as a flat object `schema` describes them: defaults filled in, whole numbers and
 * booleans converted where the text spells exactly that. Whatever else is left for the schema to refuse; general
 * conversion would make 20 of `20.5` and 1 of `true`.
 */
export function textReader(
  schema: TObject<TProperties>
): (given: Record<string, unknown>) => Record<string, unknown> {
  // Only the top level has defaults; `Value.Default` fails on a record with a key that its pattern refuses.
  const properties = Object.entries(schema.properties) as [string, { type?: string; default?: unknown }][]
  const defaults = Object.fromEntries(
    properties.flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]]))
  )
  const converted = properties.filter(([, { type }]) => type === 'integer' || type === 'boolean')

  return (given) => {
    const values: Record<string, unknown> = { ...defaults, ...given }
    for (const [name, { type }] of converted) {
      const value = given[name]
      if (typeof value !== 'string') continue
      if (type === 'integer' && WHOLE_NUMBER.test(value)) values[name] = Number(value)
      if (type === 'boolean' && (value === 'true' || value === 'false')) values[name] = value === 'true'
    }
    return values
  }
}
