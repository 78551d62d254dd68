import pg from 'pg'
import t from 'tap'
import type { Store } from '../../storage/contract.ts'
import { tempFolder } from '../helper/app.ts'
import { startDatabase } from '../helper/postgres.ts'
import { connect } from '../helper/postgres-client.ts'
import { openWithConnection } from '../helper/sqlite-connection.ts'
import { openTestStore } from '../helper/transfer.ts'

const id = (prefix: string, n: number) => `${prefix}_${n.toString(16).padStart(32, '0')}`
const CONVERSATION = id('conv', 7)
const PAGE = { limit: 20, maxBytes: 8_388_608 }

/** Every read of a page or of one thing, at its beginning and from a cursor, either way. */
const READS: Record<string, (store: Store) => Promise<unknown>> = {}
for (const order of ['asc', 'desc'] as const) {
  const page = { ...PAGE, order }
  const names = { [`${order}`]: {}, [`${order}, from a cursor`]: { after: id('conv', 50) } }
  for (const [name, place] of Object.entries(names)) {
    READS[`conversations ${name}`] = (store) => store.listConversations('alice', { ...page, ...place })
    READS[`pinned conversations ${name}`] = (store) =>
      store.listConversations('alice', { ...page, ...place, pinned: true })
  }
  READS[`conversations ${order}, before one`] = (store) =>
    store.listConversations('alice', { ...page, before: id('conv', 50) })
  READS[`turns ${order}`] = (store) => store.listTurns('alice', CONVERSATION, page)
  READS[`turns ${order}, after a seq`] = (store) =>
    store.listTurns('alice', CONVERSATION, { ...page, afterSeq: 2_000 })
  READS[`turns ${order}, before a seq`] = (store) =>
    store.listTurns('alice', CONVERSATION, { ...page, beforeSeq: 2_000, withoutFailed: true })
  READS[`completions ${order}`] = (store) => store.listSessionTurns('alice', { ...page, kind: 'chat' })
  READS[`completions ${order}, from a cursor`] = (store) =>
    store.listSessionTurns('alice', { ...page, kind: 'chat', after: id('turn', 900) })
  const marks = { limit: 20, order }
  READS[`marks ${order}`] = (store) => store.listMarks('alice', CONVERSATION, marks)
  READS[`marks ${order}, between`] = (store) =>
    store.listMarks('alice', CONVERSATION, { ...marks, afterSeq: 2_000, beforeSeq: 3_000 })
}
const SOUGHT = {
  tips: ['t-1', 't-2', 't-3', 't-4', 't-5', 't-6'],
  asked: ['a-7', 'a-8', 'a-9', 'a-10'],
  answer: 'w-9'
}
READS['marks that are found'] = (store) => store.findMarks('alice', SOUGHT)
READS['marks that are found in one conversation'] = (store) =>
  store.findMarks('alice', { ...SOUGHT, conversationId: CONVERSATION })
READS['a name elsewhere'] = (store) => store.findExternal('alice', 'x-9')
READS['a conversation'] = (store) => store.getConversation('alice', CONVERSATION)
READS['a turn'] = (store) => store.findTurn('alice', { id: id('turn', 9) })
READS['a completion'] = (store) => store.findTurn('alice', { completionId: 'c-9', kind: 'chat' })

/** Reads that have an index of their own: a range of another one could be the whole session. */
const OWN_INDEX: Record<string, string[]> = {
  'marks that are found': ['turns_answer', 'turns_asked', 'turns_tip'],
  'marks that are found in one conversation': ['turns_answer', 'turns_asked', 'turns_tip'],
  'a name elsewhere': ['conversations_external']
}

/** The indexes that a plan of either database names, but for the conversation's id. */
function indexesIn(plan: string): string[] {
  const names = [...plan.matchAll(/\busing (?:covering )?(?:index )?(\w+)/gi)].map(([, name = '']) => name)
  return [...new Set(names)].filter((name) => !/conversations_(pkey|1)$/.test(name)).sort()
}

t.test('sqlite: every read is a range of an index, in its order', async (t) => {
  const { store, connection } = await openWithConnection(`${tempFolder(t)}/test.db`)
  t.teardown(() => store.close())
  await store.createConversation({
    id: CONVERSATION,
    sessionId: 'alice',
    title: null,
    model: null,
    metadata: {},
    createdAt: 1
  })
  const prepare = connection.prepare.bind(connection)
  const asked = new Set<string>()
  let plans = 0
  connection.prepare = ((text: string) => {
    asked.add(text)
    return prepare(text)
  }) as typeof connection.prepare
  for (const [name, read] of Object.entries(READS)) {
    asked.clear() // of what was asked before, the statement is there already
    await read(store)
    for (const text of asked) {
      const given = Array(text.split('?').length - 1).fill(null)
      const plan = prepare(`explain query plan ${text}`).all(given) as { detail: string }[]
      plans += 1
      const lines = plan.map(({ detail }) => detail).join('\n')
      t.notMatch(lines, /^SCAN (turns|conversations|media)\b/m, `${name}: nothing is read through`)
      t.notMatch(lines, /FOR ORDER BY/, `${name}: nothing is sorted`)
      if (OWN_INDEX[name]) t.strictSame(indexesIn(lines), OWN_INDEX[name], `${name}: by its index`)
    }
  }
  t.ok(plans > 20, `${plans} different statements`)
})

t.test('postgres: every read is a range of an index, in its order', async (t) => {
  const url = await startDatabase()
  const store = await openTestStore(t, url)
  const client = await connect(t, url)
  const hex = (prefix: string) => `'${prefix}_' || lpad(to_hex(n), 32, '0')`
  const whose = `case n % 2 when 0 then 'bob' else 'alice' end`
  await client.query(`insert into conversations select ${hex('conv')}, ${whose}, null, null, '{}',
      case n % 10 when 7 then 1 else 0 end, 5000, 1, 1, 'x-' || n
    from generate_series(1, 8000) n`)
  await client.query(`insert into turns
      (id, session_id, conversation_id, seq, parent_seq, superseded, status, created_at, completion_id,
        asked_mark, tip_mark, answer_mark)
    select ${hex('turn')}, ${whose}, '${CONVERSATION}', n, n - 1, 0, 'completed', n, 'c-' || n,
      'a-' || n % 400, 't-' || n % 400, 'w-' || n % 400
    from generate_series(1, 8000) n`)
  await client.query('analyze')
  const { query } = pg.Client.prototype
  const asked: { text: string; values: unknown[] }[] = []
  const watched = function (this: pg.Client, ...args: unknown[]) {
    const [config] = args as [{ text: string; values: unknown[] }]
    if (this !== client && /^\s*select/.test(config.text)) asked.push(config)
    return Reflect.apply(query, this, args)
  }
  pg.Client.prototype.query = watched as typeof query
  t.teardown(() => {
    pg.Client.prototype.query = query
  })
  for (const [name, read] of Object.entries(READS)) {
    asked.length = 0
    await read(store)
    t.ok(asked.length > 0)
    for (const { text, values } of [...asked]) {
      const { rows } = await client.query(`explain ${text}`, values)
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      t.notMatch(plan, /Seq Scan on (turns|conversations|media)/, `${name}: nothing is read through`)
      if (OWN_INDEX[name]) t.strictSame(indexesIn(plan), OWN_INDEX[name], `${name}: by its index`)
      // The newest of each id on the page are looked up by these ids, in whatever order.
      if (!/group by/.test(text)) t.notMatch(plan, /Sort/, `${name}: nothing is sorted`)
    }
  }
})
