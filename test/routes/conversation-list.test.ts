import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'

/** Five conversations, `ids[0]` the oldest; the second and the fourth are pinned. */
async function five(t: Test) {
  const { url } = await startApp(t)
  const list = async (query = '') => (await request(`${url}/v1/conversations${query}`)).json
  const ids: string[] = []
  for (let i = 0; i < 5; i += 1) {
    const { id } = (await request(`${url}/v1/conversations`, { body: { title: `c${i}` } })).json
    if (i % 2 === 1) await request(`${url}/v1/conversations/${id}`, { body: { pinned: true } })
    ids.push(id)
  }
  return { url, list, ids }
}

t.test('an empty list has the whole envelope', async (t) => {
  const { url } = await startApp(t)
  const res = await request(`${url}/v1/conversations`)
  t.same(res.json, { object: 'list', data: [], first_id: null, last_id: null, has_more: false })
})

t.test('a list entry is the conversation itself', async (t) => {
  const { url, list, ids } = await five(t)
  const entry = (await list('?limit=1')).data[0]
  t.same(entry, (await request(`${url}/v1/conversations/${ids[4]}`)).json)
})

t.test('pages are cut by order, cursor, limit and pin', async (t) => {
  const { list, ids } = await five(t)
  const cases: [query: string, positions: number[], hasMore: boolean][] = [
    ['', [4, 3, 2, 1, 0], false],
    ['?order=desc', [4, 3, 2, 1, 0], false],
    ['?order=asc', [0, 1, 2, 3, 4], false],
    ['?limit=5', [4, 3, 2, 1, 0], false],
    ['?limit=2', [4, 3], true],
    [`?limit=2&after=${ids[3]}`, [2, 1], true],
    [`?limit=2&after=${ids[1]}`, [0], false],
    [`?after=${ids[0]}`, [], false],
    [`?order=asc&limit=2&after=${ids[1]}`, [2, 3], true],
    [`?order=asc&limit=2&after=${ids[2]}`, [3, 4], false],
    // The page before a cursor ends next to it.
    [`?limit=2&before=${ids[0]}`, [2, 1], true],
    [`?limit=2&before=${ids[2]}`, [4, 3], false],
    [`?order=asc&limit=2&before=${ids[4]}`, [2, 3], true],
    [`?order=asc&limit=2&before=${ids[2]}`, [0, 1], false],
    [`?before=${ids[4]}`, [], false],
    ['?pinned=true', [3, 1], false],
    ['?pinned=false', [4, 2, 0], false],
    ['?pinned=true&limit=1', [3], true],
    [`?pinned=false&after=${ids[4]}&limit=1`, [2], true]
  ]
  for (const [query, positions, hasMore] of cases) {
    const page = await list(query)
    const expected = positions.map((position) => ids[position])
    t.same(
      page.data.map((entry: { id: string }) => entry.id),
      expected,
      `order of ${query}`
    )
    t.match(
      page,
      {
        object: 'list',
        first_id: expected[0] ?? null,
        last_id: expected.at(-1) ?? null,
        has_more: hasMore
      },
      `envelope of ${query}`
    )
  }
})

t.test('without a limit a page has 20 entries, and a walk by cursor meets each once', async (t) => {
  const { url } = await startApp(t)
  const ids: string[] = []
  for (let i = 0; i < 43; i += 1) ids.push((await request(`${url}/v1/conversations`, { body: {} })).json.id)
  const seen: string[] = []
  const sizes: number[] = []
  for (let query = ''; ; query = `?after=${seen.at(-1)}`) {
    const page = (await request(`${url}/v1/conversations${query}`)).json
    seen.push(...page.data.map((entry: { id: string }) => entry.id))
    sizes.push(page.data.length)
    if (!page.has_more) break
  }
  t.same(sizes, [20, 20, 3])
  t.same(seen, ids.toReversed())
})

t.test('a cursor whose conversation was deleted still marks its place', async (t) => {
  const { url, list, ids } = await five(t)
  await request(`${url}/v1/conversations/${ids[2]}`, { method: 'DELETE' })
  t.equal((await list(`?limit=1&after=${ids[2]}`)).first_id, ids[1])
  t.equal((await list(`?limit=1&before=${ids[2]}`)).first_id, ids[3])
})
