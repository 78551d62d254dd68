/** As a column may hold it. */
export type OldValue = string | number | bigint | Buffer | null

const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})?)?$/i
/** Numbers below are seconds, until the year 5138; from there on milliseconds, since 1973. */
const FIRST_MS = 1e11
const FIRST_TOO_LARGE = 1e14

/**
 * Unix milliseconds of an instant that is ISO text, `YYYY-MM-DD HH:MM:SS` (UTC, as SQLite writes it), Unix seconds or
 * milliseconds; null when it is none of these.
 */
export function readInstant(value: OldValue): number | null {
  if (typeof value === 'string') {
    const text = value.trim()
    return /^\d+(\.\d+)?$/.test(text) ? fromNumber(Number(text)) : fromText(text)
  }
  if (typeof value === 'number' || typeof value === 'bigint') return fromNumber(Number(value))
  return null
}

function fromNumber(value: number): number | null {
  if (!(value > 0 && value < FIRST_TOO_LARGE)) return null
  return Math.floor(value < FIRST_MS ? value * 1000 : value)
}

function fromText(text: string): number | null {
  const [, date, time = '00:00', zone = 'Z'] = DATE_TIME.exec(text) ?? []
  if (date === undefined) return null
  const day = new Date(`${date}T00:00:00Z`)
  // Date turns the 31st of February into a day in March.
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date) return null
  const offset = zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')
  const instant = Date.parse(`${date}T${time}${offset}`)
  return instant > 0 ? instant : null
}
