import t, { type Test } from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { type Item, startStateful } from '../helper/stateful.ts'

type Order = 'asc' | 'desc'

/** A conversation whose turns hold from one to six items. */
async function manyItems(t: Test, settings: Record<string, string> = {}) {
  const running = await startStateful(t, settings)
  const { create, say, call, itemsOf } = running
  const id = await create({ items: [{ role: 'user', content: 'alone' }] })
  await say(id, 'One')
  const items = [
    { role: 'user', content: 'a' },
    { role: 'user', content: 'b' },
    { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
    { type: 'function_call', call_id: 'c2', name: 'g', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c1', output: '1' },
    { type: 'function_call_output', call_id: 'c2', output: '2' }
  ]
  const at = `/conversations/${id}/items`
  const add = (content = 'new') => call(at, { body: { items: [{ role: 'user', content }] } })
  await call(at, { body: { items } })
  await say(id, 'Two')
  const page = async (order: Order, limit: number, after?: string) =>
    (await call(`${at}?order=${order}&limit=${limit}${after ? `&after=${after}` : ''}`)).json
  const idsOf = (list: Item[]) => list.map((item) => item.id)

  /** All pages one after the other; `between` runs after each. */
  async function walk(order: Order, limit: number, between = async (_page: number) => {}): Promise<string[]> {
    const seen: string[] = []
    for (let pages = 1; pages < 100; pages += 1) {
      const { data, has_more, first_id, last_id } = await page(order, limit, seen.at(-1))
      t.strictSame([first_id, last_id], [data[0]?.id ?? null, data.at(-1)?.id ?? null])
      if (data.length > limit || (has_more && data.length !== limit)) t.fail('a page of another size')
      seen.push(...idsOf(data))
      if (!has_more) return seen
      await between(pages)
    }
    throw new Error('the pages have no end')
  }
  return { ...running, id, at, page, walk, add, all: async () => idsOf(await itemsOf(id)) }
}

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: pages of every size hold each item once, in both directions`, async (t) => {
    const { walk, all } = await manyItems(t, { DB_URL: await makePlace(t) })
    const ids = await all()
    t.equal(ids.length, 11)
    for (const limit of [1, 2, 3, 4, 5, 11, 12]) {
      t.strictSame(await walk('asc', limit), ids, `asc by ${limit}`)
      t.strictSame(await walk('desc', limit), ids.toReversed(), `desc by ${limit}`)
    }
  })
}

t.test(
  'items that are added meanwhile come at the end of ascending pages, and not in descending ones',
  async (t) => {
    for (const limit of [1, 2, 3, 4, 5]) {
      const { walk, all, add } = await manyItems(t)
      const before = await all()
      const twice = async (page: number) => void (page <= 2 && (await add()))
      t.strictSame(await walk('desc', limit, twice), before.toReversed(), `desc by ${limit}`)
      t.strictSame(await walk('asc', limit, twice), await all(), `asc by ${limit}`)
    }
  }
)

t.test('items that are deleted meanwhile are left out, and no other is lost', async (t) => {
  for (const order of ['asc', 'desc'] as const) {
    for (const limit of [1, 2, 3, 4, 5]) {
      const { walk, all, at, call } = await manyItems(t)
      const expected = order === 'asc' ? await all() : (await all()).toReversed()
      const count = expected.length
      const remove = async (item?: string) => {
        const { status } = await call(`${at}/${item}`, { method: 'DELETE' })
        if (status !== 200) t.fail(`deletion of ${item}: ${status}`)
      }
      const seen = await walk(order, limit, async (page) => {
        await remove(expected[page * limit - 1]) // the next page's cursor
        const [ahead] = expected.splice(page * limit + 1, 1)
        if (ahead) await remove(ahead)
      })
      t.strictSame(seen, expected, `${order} by ${limit}`)
      t.ok(expected.length < count)
    }
  }
})

t.test('more turns than are read at once make whole pages', async (t) => {
  const { create, call, itemsOf } = await startStateful(t)
  const id = await create()
  const items = Array.from({ length: 20 }, (_, i) => ({ role: 'assistant', content: `a${i}` }))
  const users = Array.from({ length: 20 }, (_, i) => [
    { role: 'user', content: `u${i}` },
    ...items.slice(i, i + 1)
  ])
  for (let i = 0; i < 4; i += 1) {
    // Each pair is a turn of its own: 10 in a call.
    for (const half of [users.slice(0, 10), users.slice(10)])
      await call(`/conversations/${id}/items`, { body: { items: half.flat() } })
  }
  const first = await itemsOf(id)
  t.equal(first.length, 100)
  const rest = await itemsOf(id, `&after=${first.at(-1)?.id}`)
  t.equal(rest.length, 60)
  t.equal(new Set([...first, ...rest].map((item) => item.id)).size, 160)
})

t.test('a limit that is none, and a cursor of another list, are a 400 that names it', async (t) => {
  const { at, call, all, turnsOf, id, create, say } = await manyItems(t)
  const other = await create()
  for (let i = 0; i < 9; i += 1) await say(other, `turn ${i}`)
  const foreign = (await call(`/conversations/${other}/items?order=asc&limit=100`)).json.data
  const [own = ''] = await all()
  const [turn] = await turnsOf(id)
  const cases: [query: string, param: string][] = [
    ...['0', '101', '-1', '1.5', 'x', ''].map((limit): [string, string] => [`limit=${limit}`, 'limit']),
    ['order=up', 'order'],
    ...[
      '',
      'x',
      id,
      turn?.id ?? '',
      'turn_1',
      own.slice(0, -1),
      `${own}0`,
      own.toUpperCase(),
      foreign[0].id,
      foreign[3].id,
      foreign.at(-1).id
    ].map((after): [string, string] => [`after=${after}`, 'after'])
  ]
  for (const [query, param] of cases) {
    for (const order of ['', '&order=asc']) {
      if (query.startsWith('order') && order) continue
      isErrorReply(
        t,
        await call(`${at}?${query}${order}`),
        400,
        { code: 'invalid_value', param },
        query + order
      )
    }
  }
  isErrorReply(
    t,
    await call(`${at}?before=${own}`),
    400,
    { code: 'unknown_parameter', param: 'before' },
    'before'
  )
})
