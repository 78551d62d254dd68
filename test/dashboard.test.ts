import t from 'tap'
import { startApp } from './helper/app.ts'
import { codeIn, readSource, tableUnder } from './helper/doc-tables.ts'
import { scrape } from './helper/metrics.ts'

interface Panel {
  id: number
  type: string
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  datasource?: { uid: string }
  targets?: { expr: string; datasource: { uid: string } }[]
}

const dashboard = JSON.parse(readSource('docs/operations/grafana-dashboard.json'))
const panels: Panel[] = dashboard.panels
const graphs = panels.filter(({ type }) => type !== 'row')
const queries = [
  ...graphs.flatMap(({ targets }) => targets ?? []).map(({ expr }) => expr),
  ...dashboard.templating.list.flatMap(({ query }: { query: { query?: string } }) => query.query ?? [])
]
/** Words of a query that are names of metrics; a histogram is asked by its buckets and its count. */
const namesIn = (query: string) => query.match(/\b(turnkeeper|nodejs|process)_\w+/g) ?? []
const metricOf = (name: string, names: string[]) =>
  names.includes(name) ? name : name.replace(/_(bucket|count|sum)$/, '')

t.test('every query of the dashboard asks for metrics that there are', async (t) => {
  const { url } = await startApp(t)
  const { names } = await scrape(url)
  t.ok(queries.length > 25)
  for (const query of queries) {
    const asked = namesIn(query)
    t.ok(asked.length > 0, query)
    for (const name of asked) t.ok(names.includes(metricOf(name, names)), `${name} in ${query}`)
  }
  const ours = names.filter((name) => name.startsWith('turnkeeper_'))
  const shown = new Set(queries.flatMap(namesIn).map((name) => metricOf(name, names)))
  t.same(
    ours.filter((name) => !shown.has(name)),
    [],
    'and it shows all of ours'
  )
})

t.test('the metrics in docs/operations.md are those of a scrape, with their labels', async (t) => {
  const { url, chat } = await startApp(t)
  await (await chat()).text()
  await fetch(`${url}/none`)
  const { names, series } = await scrape(url)
  const documented = tableUnder(readSource('docs/operations.md'), 'Metrics')
  t.same(
    documented.map(([name]) => codeIn(name)).sort(),
    names.filter((name) => name.startsWith('turnkeeper_')).sort()
  )
  for (const [cell, labels] of documented) {
    const name = codeIn(cell)
    const known = (labels ?? '').match(/\w+/g) ?? []
    const found = series.filter((one) => metricOf(one.name, names) === name)
    for (const one of found) {
      const given = Object.keys(one.labels).filter((label) => label !== 'le')
      t.same(given.sort(), known.sort(), name)
    }
  }
})

t.test('the queries of the alerts ask for metrics that there are', async (t) => {
  const { url } = await startApp(t)
  const { names } = await scrape(url)
  const alerts = tableUnder(readSource('docs/operations.md'), 'Alerts worth having')
  for (const [query = ''] of alerts) {
    t.ok(namesIn(query).length > 0, query)
    for (const name of namesIn(query)) t.ok(names.includes(metricOf(name, names)), name)
  }
})

t.test('the dashboard can be imported anywhere', async (t) => {
  const [source] = dashboard.templating.list
  t.match(source, { name: 'datasource', type: 'datasource', query: 'prometheus' })
  const uses = graphs.flatMap(({ datasource, targets }) => [
    datasource,
    ...(targets ?? []).map((one) => one.datasource)
  ])
  t.ok(
    uses.every((one) => /^\$\{datasource\}$/.test(one?.uid ?? '')),
    'each query goes where the variable says'
  )
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'each panel has an id of its own')
  const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title)
  t.same(rows, ['Traffic', 'Turns', 'Latency', 'Storage', 'Process'])
  for (const [i, one] of panels.entries()) {
    t.ok(one.gridPos.x + one.gridPos.w <= 24, one.title)
    const over = panels.slice(i + 1).filter((other) => overlap(one.gridPos, other.gridPos))
    t.same(over, [], `${one.title} covers no other`)
  }
})

function overlap(a: Panel['gridPos'], b: Panel['gridPos']): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}
