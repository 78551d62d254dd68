import t from 'tap'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'

/** More than a statement of SQLite takes parameters. */
const COUNT = 33_000
const REFERENCES = Array.from({ length: COUNT }, (_, i) => `media:sha256:${i.toString(16).padStart(64, '0')}`)
const portion = (i: number) => REFERENCES.slice(i * 9_000, (i + 1) * 9_000)

for (const [title, part] of [
  ['values', { type: 'x', v: REFERENCES }],
  // An object has no more than 10,000 members.
  ['keys', { type: 'x', v: [0, 1, 2, 3].map((i) => Object.fromEntries(portion(i).map((name) => [name, 1]))) }]
] as const) {
  t.test(`any number of ${title} that look like stored media is kept and read`, async (t) => {
    const { url } = await startApp(t)
    const { json } = await request(`${url}/v1/conversations`, { body: {} })
    const items = `${url}/v1/conversations/${json.id}/items`
    const added = await request(items, { body: { items: [{ role: 'user', content: [part] }] } })
    t.equal(added.status, 200)
    const read = await request(items)
    t.equal(read.status, 200)
    t.same(read.json.data?.[0]?.content, [part])
  })
}
