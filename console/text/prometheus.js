/**
 * Figures in Prometheus' text format.
 * @typedef {{ name: string, labels: Record<string, string>, value: number }} Sample
 */

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** @param {string} text @returns {Sample[]} */
export function readSamples(text) {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? []
    if (name === undefined) return []
    return [
      {
        name,
        labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key, said]) => [key, said])),
        value: Number(value)
      }
    ]
  })
}

/**
 * The sum of all samples of that name that have those labels.
 * @param {Sample[]} samples @param {string} name @param {Record<string, string>} [labels]
 */
export function sumOf(samples, name, labels = {}) {
  return samples
    .filter(
      (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value)
    )
    .reduce((sum, { value }) => sum + value, 0)
}

/**
 * How many measurements fell into each bucket of a histogram; `upTo` is the bucket's upper bound.
 * @param {Sample[]} samples @param {string} name
 * @returns {{ upTo: number, count: number }[]}
 */
export function bucketsOf(samples, name) {
  /** @type {Map<number, number>} */
  const atMost = new Map()
  for (const { labels, value } of samples.filter((one) => one.name === `${name}_bucket`)) {
    const upTo = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le)
    atMost.set(upTo, (atMost.get(upTo) ?? 0) + value)
  }
  const sorted = [...atMost].sort(([a], [b]) => a - b)
  return sorted.map(([upTo, count], index) => ({ upTo, count: count - (sorted[index - 1]?.[1] ?? 0) }))
}

/**
 * The bound below which that share of the measurements is, read off the buckets; null without any.
 * @param {{ upTo: number, count: number }[]} buckets @param {number} share
 */
export function quantileOf(buckets, share) {
  const wanted = buckets.reduce((sum, { count }) => sum + count, 0) * share
  if (wanted === 0) return null
  let seen = 0
  for (const { upTo, count } of buckets) {
    seen += count
    if (seen >= wanted) return upTo
  }
  return null
}
