import type { TObject, TProperties } from 'typebox'
import { Value } from 'typebox/value'

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
  return Value.Default(schema, Object.fromEntries(converted)) as Record<string, unknown>
}
