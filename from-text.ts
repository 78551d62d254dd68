import type { TObject, TProperties } from 'typebox'

/**
 * Values that arrived as text, as a flat object `schema` describes them: defaults filled in, whole numbers and
 * booleans converted where the text spells exactly that. Whatever else is left for the schema to refuse; general
 * conversion would make 20 of `20.5` and 1 of `true`.
 */
export function fromText(
  schema: TObject<TProperties>,
  given: Record<string, unknown>
): Record<string, unknown> {
  const converted = Object.entries(given).map(([name, value]) => {
    const property: { type?: string } = schema.properties[name] ?? {}
    if (property.type === 'integer' && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) {
      return [name, Number(value)]
    }
    if (property.type === 'boolean' && (value === 'true' || value === 'false'))
      return [name, value === 'true']
    return [name, value]
  })
  return { ...defaultsOf(schema), ...Object.fromEntries(converted) }
}

/** Only the top level has any; `Value.Default` fails on a record with a key that its pattern refuses. */
function defaultsOf(schema: TObject<TProperties>): Record<string, unknown> {
  const defaults = Object.entries(schema.properties).flatMap(([name, property]) => {
    const { default: value } = property as { default?: unknown }
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(defaults)
}
