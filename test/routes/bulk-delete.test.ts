import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { addDue, idsIn } from '../helper/due.ts'
import { eventually, gate } from '../helper/endings.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply, type Reply, request } from '../helper/request.ts'
import { DONE, delta, finish, startSse, startUpstream } from '../helper/upstream.ts'

const OF_42 = 'metadata[user]=42'

async function start(t: Test, settings: Record<string, string> = {}) {
  const running = await startApp(t, { AUTH: 'header', ...settings })
  const call = (path: string, method: string, session = 'alice', body?: object): Promise<Reply> =>
    request(`${running.url}/v1/conversations${path}`, {
      method,
      headers: { 'x-session-id': session },
      ...(body && { body })
    })
  const create = async (metadata: object, session?: string): Promise<string> =>
    (await call('', 'POST', session, { metadata })).json.id
  return { ...running, call, create, ids: () => idsIn(running.app.store) }
}

const answer = (deleted: number) => ({ object: 'conversation.bulk_deleted', deleted, has_more: false })

for (const [driver, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${driver}: all of the session's that have all the pairs go, and no others`, async (t) => {
    const { call, create, ids } = await start(t, { DB_URL: await makePlace(t) })
    const odd = { user: '42', 'a b&=ä': '"}😀' }
    for (const metadata of [{ user: '42' }, { user: '42', plan: 'free' }, odd]) await create(metadata)
    await call(`/${await create({ user: '42' })}`, 'POST', 'alice', { pinned: true })
    const kept = [
      await create({ user: '42' }, 'bob'),
      await create({}),
      await create({ user: '421' }),
      await create({ user: '4' }),
      await create({ User: '42' }),
      await create({ note: '"user":"42"' }),
      await create({ plan: 'free' })
    ]
    const before = await ids()
    t.strictSame((await call(`?${OF_42}&metadata[plan]=paid`, 'DELETE')).json, answer(0))
    t.strictSame(await ids(), before)

    t.strictSame((await call(`?${OF_42}&metadata[plan]=free`, 'DELETE')).json, answer(1))
    const pair = new URLSearchParams({ 'metadata[a b&=ä]': '"}😀' })
    t.strictSame((await call(`?${pair}`, 'DELETE')).json, answer(1))
    const rest = await call(`?${OF_42}`, 'DELETE')
    t.equal(rest.status, 200)
    t.strictSame(rest.json, answer(2), 'the pinned one too')
    t.strictSame(await ids(), kept.toSorted())
    t.strictSame((await call(`?${OF_42}`, 'DELETE')).json, answer(0))
    t.equal((await call(`/${kept[0]}`, 'GET', 'bob')).status, 200)
  })

  t.test(`${driver}: one that is running goes too, and its answer does not bring it back`, async (t) => {
    const { open, opened } = gate()
    const upstream = await startUpstream(t, async (res) => {
      startSse(res)
      res.write(delta({ content: 'late' }))
      await opened
      res.end(finish() + DONE)
    })
    const { chat, call, ids } = await start(t, {
      DB_URL: await makePlace(t),
      OPENAI_BASE_URL: upstream.url
    })
    const res = await chat({ stream: true, metadata: { user: '42' } }, { 'x-session-id': 'alice' })
    t.strictSame((await call(`?${OF_42}`, 'DELETE')).json, answer(1))
    open()
    t.match(await res.text(), /late.*\[DONE\]/s)
    t.strictSame(await ids(), [])
    t.equal((await call(`/${res.headers.get('x-conversation-id')}`, 'GET')).status, 404)
  })
}

t.test('a query that might mean more than it says deletes nothing', async (t) => {
  const { call, create, ids } = await start(t)
  await create({ user: '42' })
  await create({})
  const before = await ids()
  const missing = { code: 'missing_required_parameter', param: 'metadata' }
  const invalid = { code: 'invalid_value', param: /^metadata/ }
  const unknown = { code: 'unknown_parameter' }
  const cases: [query: string, error: object][] = [
    ['', missing],
    ['?', missing],
    ['?metadata', invalid],
    ['?metadata=', invalid],
    ['?metadata=42', invalid],
    ['?metadata[]=42', invalid],
    ['?metadata[0]=42', invalid],
    ['?metadata[user][name]=42', invalid],
    [`?${OF_42}&metadata[user]=43`, invalid],
    [`?${OF_42}&metadata=43`, invalid],
    ['?metadata[__proto__]=42', invalid],
    [`?${OF_42}&metadata[__proto__]=x`, invalid],
    [`?${OF_42}${'&'.repeat(200)}metadata[plan]=paid`, invalid],
    [`?${OF_42}&${Array.from({ length: 16 }, (_, i) => `metadata[k${i}]=1`).join('&')}`, invalid],
    [`?metadata[${'k'.repeat(65)}]=1`, unknown],
    [`?${OF_42}&limit=1`, unknown],
    [`?${OF_42}&session=bob`, unknown],
    [`?${OF_42}&metadata.plan=paid`, unknown]
  ]
  for (const [query, error] of cases) {
    isErrorReply(t, await call(query, 'DELETE'), 400, error, query.slice(0, 60))
    t.strictSame(await ids(), before)
  }
})

t.test('a shutdown ends it early, and says that there is more', async (t) => {
  const { app, call, ids } = await start(t)
  for (let i = 0; i < 8; i++) await addDue(app.store, 600, { metadata: { user: '42' } })
  const deleting = call(`?${OF_42}`, 'DELETE')
  await eventually('it has begun', async () => (await ids()).length < 8)
  const closing = app.close()
  const { status, json } = await deleting
  await closing
  t.equal(status, 200)
  t.match(json, { object: 'conversation.bulk_deleted', has_more: true })
  t.ok(json.deleted > 0 && json.deleted < 8)
})

t.test('a key that the query parser reads in another way deletes nothing', async (t) => {
  const { call, create, ids } = await start(t)
  for (const user of ['user', ']', 'a', 'b', '0']) await create({ [user]: '42' })
  const before = await ids()
  for (const key of ['user]', 'user]x', 'user]=', 'a]b', 'a][b', '[']) {
    for (const query of [
      `metadata[${encodeURIComponent(key)}]=42`,
      `${encodeURIComponent(`metadata[${key}]`)}=42`
    ])
      t.equal((await call(`?${query}`, 'DELETE')).status, 400, key)
  }
  t.strictSame(await ids(), before)
})
