import type { Validator } from 'typebox/compile'
import { ApiError } from '../errors.ts'

interface SchemaFault {
  keyword: string
  instancePath: string
  message: string
  params: { requiredProperties?: string[]; additionalProperties?: string[] }
}

/** To list the faults of one entry takes microseconds: of this many, milliseconds. */
const MAX_ENTRIES = 1_000
/** How deep our schemas look into a body: `messages[0].role`. */
const LEVELS = 3
/** A name that is longer is cut: an answer does not repeat the question. */
const MAX_NAME = 128

/** Why `value`, of this part of a request, does not fit its schema. */
export function schemaFault(validator: Validator, value: unknown, part: string | undefined): ApiError {
  const cut = beginning(value, LEVELS)
  const faulty = validator.Check(cut) ? value : cut
  return toError(deepest(validator.Errors(faulty) as unknown as SchemaFault[]), part)
}

/** `['messages', '0', 'role']` as `messages[0].role`. */
export function pathOf(segments: string[]): string {
  return segments.reduce((path, segment) => {
    const name = shortened(segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    if (/^\d+$/.test(name)) return `${path}[${name}]`
    return path ? `${path}.${name}` : name
  }, '')
}

/** The value with no more than the first entries of its lists and objects, down to `levels`. */
function beginning(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null || levels === 0) return value
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => beginning(entry, levels - 1))
  const entries = Object.entries(value).slice(0, MAX_ENTRIES)
  return Object.fromEntries(entries.map(([name, entry]) => [name, beginning(entry, levels - 1)]))
}

/** Of several faults, as a union reports them, the one that lies deepest says most. */
function deepest(faults: SchemaFault[]): SchemaFault {
  const depth = (fault: SchemaFault) => fault.instancePath.split('/').length
  // `boolean` only repeats, one level deeper, what `additionalProperties` says; unless it has taken all places.
  const telling = faults.filter((fault) => fault.keyword !== 'boolean')
  return (telling.length > 0 ? telling : faults).reduce((best, fault) =>
    depth(fault) > depth(best) ? fault : best
  )
}

function toError(fault: SchemaFault, part: string | undefined): ApiError {
  const field = pathOf(fault.instancePath.split('/').slice(1))
  const missing = fault.params.requiredProperties?.[0]
  const unknown = fault.params.additionalProperties?.[0]
  const within = (name: string) => (field ? `${field}.${shortened(name)}` : shortened(name))
  if (missing !== undefined) {
    const param = within(missing)
    return new ApiError(400, 'missing_required_parameter', `Missing required parameter: '${param}'.`, {
      param
    })
  }
  if (unknown !== undefined || fault.keyword === 'boolean') {
    const param = unknown === undefined ? field : within(unknown)
    return new ApiError(400, 'unknown_parameter', `Unknown parameter: '${param}'.`, { param })
  }
  const param = field || part || 'body'
  return new ApiError(400, 'invalid_value', `Invalid '${param}': ${fault.message}.`, { param })
}

function shortened(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name
}
