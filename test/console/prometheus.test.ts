import fc from 'fast-check'
import t from 'tap'
import { bucketsOf, quantileOf, readSamples, sumOf } from '../../console/text/prometheus.js'
import { startApp } from '../helper/app.ts'
import { holds } from '../helper/property.ts'

const TEXT = `# HELP a_total Help with {braces} 1
# TYPE a_total counter
a_total 3
b_total{kind="x",reason="say \\"no\\", ok"} 2
b_total{kind="y"} 4.5e1
d_seconds_bucket{le="0.1"} 1
d_seconds_bucket{le="0.5"} 3
d_seconds_bucket{le="+Inf"} 4
d_seconds_bucket{le="0.1",of="other"} 1
d_seconds_bucket{le="0.5",of="other"} 1
d_seconds_bucket{le="+Inf",of="other"} 1
d_seconds_count 4
`

t.test('samples are read with their labels', (t) => {
  const samples = readSamples(TEXT)
  t.equal(samples.length, 10)
  t.same(samples[0], { name: 'a_total', labels: {}, value: 3 })
  t.same(samples[1], { name: 'b_total', labels: { kind: 'x', reason: 'say \\"no\\", ok' }, value: 2 })
  t.same(readSamples(''), [])
  t.same(readSamples('<html>not found</html>'), [])
  t.end()
})

t.test('a sum is of the samples that have the labels', (t) => {
  const samples = readSamples(TEXT)
  t.equal(sumOf(samples, 'b_total'), 47)
  t.equal(sumOf(samples, 'b_total', { kind: 'y' }), 45)
  t.equal(sumOf(samples, 'b_total', { kind: 'z' }), 0)
  t.equal(sumOf(samples, 'nothing'), 0)
  t.end()
})

t.test('buckets count what fell into them alone, over all labels', (t) => {
  const buckets = bucketsOf(readSamples(TEXT), 'd_seconds')
  t.same(buckets, [
    { upTo: 0.1, count: 2 },
    { upTo: 0.5, count: 2 },
    { upTo: Number.POSITIVE_INFINITY, count: 1 }
  ])
  t.equal(quantileOf(buckets, 0.4), 0.1)
  t.equal(quantileOf(buckets, 0.5), 0.5)
  t.equal(quantileOf(buckets, 1), Number.POSITIVE_INFINITY)
  t.equal(quantileOf([], 0.5), null)
  t.equal(quantileOf([{ upTo: 1, count: 0 }], 0.5), null)
  t.end()
})

t.test('a quantile is the first bound that has that share below it', async (t) => {
  const counts = fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 12 })
  await holds(
    t,
    fc.property(counts, fc.double({ min: 0.01, max: 1, noNaN: true }), (list, share) => {
      const buckets = list.map((count, index) => ({ upTo: index + 1, count }))
      const total = list.reduce((sum, count) => sum + count, 0)
      const bound = quantileOf(buckets, share)
      if (total === 0) return bound === null
      const below = (limit: number) => list.slice(0, limit).reduce((sum, count) => sum + count, 0)
      return bound !== null && below(bound) >= total * share && below(bound - 1) < total * share
    }),
    300
  )
})

t.test('the figures of the service are read', async (t) => {
  const { url, chat } = await startApp(t)
  await (await chat({ stream: true })).text()
  const samples = readSamples(await (await fetch(`${url}/metrics`)).text())
  t.equal(sumOf(samples, 'turnkeeper_turns_accepted_total'), 1)
  const firstTokens = bucketsOf(samples, 'turnkeeper_first_byte_seconds')
  t.equal(
    firstTokens.reduce((sum, { count }) => sum + count, 0),
    1
  )
  t.equal(firstTokens.at(-1)?.upTo, Number.POSITIVE_INFINITY)
  const written = sumOf(samples, 'turnkeeper_persist_seconds_count', { outcome: 'written' })
  t.equal(written, 2, 'two transactions a turn')
})
