/** The value below which `share` of `values` lie (nearest rank); NaN of none. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Median, smallest and largest. */
export interface Spread {
  median: number
  low: number
  high: number
  count: number
}

export function spread(values: number[]): Spread {
  return {
    median: median(values),
    low: values.length > 0 ? Math.min(...values) : Number.NaN,
    high: values.length > 0 ? Math.max(...values) : Number.NaN,
    count: values.length
  }
}

/** Three significant digits, as short as they can be written. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}
