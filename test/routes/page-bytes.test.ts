import t, { type Test } from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { ALICE, startStateful } from '../helper/stateful.ts'

const MAX_PAGE_BYTES = 10_000

/** Lengths of what is asked, most of them answered in kind: far below the limit, next to it and beyond. */
const LENGTHS = [10, 6_000, 3_000, 30_000, 1, 25_000, 10, 10, 4_900, 4_900, 4_900]

type Entry = { id: string; seq?: number }

/** A conversation of such turns, of several items and a turn that failed. */
async function oddSizes(t: Test, dbUrl: string) {
  const settings = { DB_URL: dbUrl, AUTH: 'header', MAX_PAGE_BYTES: `${MAX_PAGE_BYTES}` }
  const running = await startStateful(t, settings)
  const call = (path: string, body?: object) => running.call(path, { headers: ALICE, ...(body && { body }) })
  const { json } = await call('/conversations', {})
  const at = `/conversations/${json.id}`
  const items = [9_000, 9_000, 50, 50].map((length) => ({ role: 'user', content: 'i'.repeat(length) }))
  await call(`${at}/items`, { items })
  const ids: string[] = []
  for (const length of LENGTHS) {
    const messages = [{ role: 'user', content: 'q'.repeat(length) }]
    const { headers } = await call('/chat/completions', { model: 'm', conversation_id: json.id, messages })
    ids.push(headers.get('x-turn-id') ?? '')
  }
  running.upstream.script = (res) => void res.writeHead(500).end('{}')
  await call('/chat/completions', {
    model: 'm',
    conversation_id: json.id,
    messages: [{ role: 'user', content: 'f' }]
  })

  /** All entries of a list by pages, each cut by the cursor that `next` makes of its last entry. */
  async function walk(
    path: string,
    next: (last: Entry) => string
  ): Promise<{ ids: string[]; early: number }> {
    const seen: string[] = []
    let early = 0
    for (let query = ''; ; ) {
      const { status, json, text } = await call(`${path}${query}`)
      t.equal(status, 200, text.slice(0, 300))
      const { data, has_more: hasMore } = json as { data: Entry[]; has_more: boolean }
      // Beside the content, each entry has fields of its own.
      const size = data.reduce((sum, entry) => sum + JSON.stringify(entry).length - 1_000, 0)
      if (data.length !== 1 && size > MAX_PAGE_BYTES) t.fail(`${path}${query}: a page of ${size} bytes`)
      seen.push(...data.map(({ id }) => id))
      if (!hasMore) return { ids: seen, early }
      const last = data.at(-1)
      if (!last) throw new Error('a page that has no end')
      early += 1
      query = `&${next(last)}`
    }
  }
  return { ...running, call, at, ids, walk }
}

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: pages that are cut by their size hold each entry once`, async (t) => {
    const { app, at, ids, walk } = await oddSizes(t, await makePlace(t))
    const id = at.slice('/conversations/'.length)
    const turns = await app.store.listTurns('alice', id, {
      limit: 100,
      order: 'asc',
      includeSuperseded: true
    })
    const all = turns?.data.map((turn) => turn.id) ?? []
    t.equal(all.length, 1 + LENGTHS.length + 1)

    const byAfter = ({ id }: Entry) => `after=${id}`
    const lastId = ids.at(-1) ?? ''
    const lists: [path: string, next: (last: Entry) => string, count: number][] = [
      [`${at}/turns?limit=100`, ({ seq }) => `after_seq=${seq}`, all.length],
      [`${at}/turns?limit=100&order=desc`, ({ seq }) => `before_seq=${seq}`, all.length],
      [`${at}/items?limit=100`, byAfter, 4 + 2 * LENGTHS.length],
      [`${at}/items?limit=100&order=asc`, byAfter, 4 + 2 * LENGTHS.length],
      [`${at}/items?limit=3&order=asc`, byAfter, 4 + 2 * LENGTHS.length],
      ['/chat/completions?limit=100', byAfter, LENGTHS.length],
      [`/chat/completions/${lastId}/messages?limit=100`, byAfter, 4 + 2 * LENGTHS.length - 1]
    ]
    for (const [path, next, count] of lists) {
      const found = await walk(path, next)
      t.equal(found.ids.length, count, path)
      t.equal(new Set(found.ids).size, count, `${path}: none twice`)
      t.ok(found.early > 3, `${path}: ${found.early} pages ended early`)
    }
    t.strictSame((await walk(`${at}/turns?limit=100`, ({ seq }) => `after_seq=${seq}`)).ids, all)
    const asc = (await walk(`${at}/items?limit=100&order=asc`, byAfter)).ids
    t.strictSame((await walk(`${at}/items?limit=2`, byAfter)).ids, asc.toReversed())
  })
}

t.test('no more is read for a page of items than it takes', async (t) => {
  const { app, call, at } = await oddSizes(t, 'sqlite::memory:')
  const read: { limit: number; turns: number; bytes: number }[] = []
  const { listTurns } = app.store
  app.store.listTurns = async (session, id, page) => {
    const found = await listTurns(session, id, page)
    read.push({ limit: page.limit, turns: found?.data.length ?? 0, bytes: found?.bytes ?? Number.NaN })
    return found
  }
  t.equal((await call(`${at}/items?limit=1`)).json.data.length, 1)
  t.strictSame(
    read.map(({ limit }) => limit),
    [1]
  )
  await call(`${at}/items?limit=100`)
  await call(`${at}/items?limit=100&order=asc`)
  t.equal(read.length, 3)
  for (const { turns, bytes } of read) t.ok(turns === 1 || bytes <= MAX_PAGE_BYTES, `${turns}: ${bytes}`)
})
