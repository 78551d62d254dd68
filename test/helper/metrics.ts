import { request } from './request.ts'

/** What `/metrics` said at one moment. */
export interface Scrape {
  text: string
  /** The value of the series with these labels and no others; undefined when there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined
  /** The sum of the series of this name that have these labels. */
  sum(name: string, labels?: Record<string, string>): number
  /** Every metric by its name, with or without series. */
  names: string[]
  series: { name: string; labels: Record<string, string>; value: number }[]
}

export async function scrape(url: string): Promise<Scrape> {
  const { text, status } = await request(`${url}/metrics`)
  if (status !== 200) throw new Error(`/metrics answered ${status}`)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const series = lines.map((line) => {
    const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text])
    return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }
  })
  const having = (name: string, wanted: Record<string, string>) =>
    series.filter(
      (one) =>
        one.name === name && Object.entries(wanted).every(([label, value]) => one.labels[label] === value)
    )
  return {
    text,
    series,
    names: [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name ?? ''),
    value: (name, labels = {}) =>
      having(name, labels).find((one) => Object.keys(one.labels).length === Object.keys(labels).length)
        ?.value,
    sum: (name, labels = {}) => having(name, labels).reduce((sum, { value }) => sum + value, 0)
  }
}

/** The five figures of which the first is the sum of the others. */
export function turnFigures(scraped: Scrape) {
  const ended = (status: string) => scraped.sum('turnkeeper_turns_ended_total', { status })
  return {
    accepted: scraped.sum('turnkeeper_turns_accepted_total'),
    completed: ended('completed'),
    incomplete: ended('incomplete'),
    failed: ended('failed'),
    inProgress: scraped.sum('turnkeeper_turns_in_progress'),
    discarded: scraped.sum('turnkeeper_turns_discarded_total')
  }
}
