import path from 'node:path'
import t, { type Test } from 'tap'
import type { ConversationChoice, Store } from '../../storage/contract.ts'
import { tempFolder } from '../helper/app.ts'
import { openDatabase } from '../helper/database.ts'
import { startDatabase } from '../helper/postgres.ts'
import { connect, waiting } from '../helper/postgres-client.ts'
import { openTestStore } from '../helper/transfer.ts'
import { allTurns, begin, createConversation, exchange, SESSION, seqs } from './contract/rows.ts'

type Query = (text: string) => Promise<Record<string, unknown>[]>

/** A store, and a connection of one's own to the same database. */
const databases = {
  async sqlite(t: Test): Promise<{ store: Store; query: Query }> {
    const url = `sqlite:${path.join(tempFolder(t), 'store.db')}`
    const store = await openTestStore(t, url)
    const sqlite = openDatabase(t, url)
    return { store, query: async (text) => sqlite.prepare<[], Record<string, unknown>>(text).all() }
  },
  async postgres(t: Test): Promise<{ store: Store; query: Query }> {
    const url = await startDatabase()
    const store = await openTestStore(t, url)
    const client = await connect(t, url)
    return { store, query: async (text) => (await client.query(text)).rows }
  }
}

const IMAGE = `data:image/png;base64,${'iVBORw0KGgo'.repeat(300)}`
const TABLES = ['conversations', 'turns', 'media', 'search_entries']
const CHOICES: ConversationChoice[] = [
  { sessionId: SESSION, metadata: { user: '7' } },
  { metadata: { user: '7' } },
  { metadata: { user: '7' }, expiredBefore: 5_000_000_000_000 }
]

for (const [name, create] of Object.entries(databases)) {
  t.test(`${name}: of what was deleted by choice no turn, word or image stays`, async (t) => {
    const { store, query } = await create(t)
    const tables = name === 'sqlite' ? [...TABLES, 'search_words_docsize'] : TABLES
    const counts = async () =>
      Promise.all(
        tables.map(async (table) => Number((await query(`select count(*) as n from ${table}`))[0]?.n))
      )
    const fill = async (metadata: Record<string, string>) => {
      const { id } = await createConversation(store, { title: 'title', metadata })
      for (const _ of seqs(2)) await exchange(store, id, { detail: { a: IMAGE } }, { detail: { a: IMAGE } })
    }
    await fill({ other: '7' })
    const before = await counts()
    t.ok(before.every((count) => count > 0))
    for (const which of CHOICES) {
      await fill({ user: '7' })
      await fill({ user: '7', more: 'x' })
      t.strictSame(await store.deleteConversations(which, 100), { conversations: 2, turns: 4 })
      t.strictSame(await counts(), before)
    }
  })
}

t.test('sqlite: the oldest are found by the index, without a sort', async (t) => {
  const { query } = await databases.sqlite(t)
  const plan = await query(`explain query plan select id, metadata from conversations
    where active_at < 9 and pinned = 0 and not exists (select 1 from turns
    where turns.conversation_id = conversations.id and turns.owner is not null) order by active_at, id limit 9`)
  const details = plan.map(({ detail }) => String(detail))
  t.match(details[0], /^SEARCH conversations USING INDEX conversations_idle \(active_at<\?\)/)
  for (const detail of details) t.notMatch(detail, /SCAN|TEMP B-TREE/)
})

t.test('postgres: the oldest are found by the index, without a sort', async (t) => {
  const { query } = await databases.postgres(t)
  await query(`insert into conversations select 'c' || n, 's', null, null, '{}', 0, 0, n, n
    from generate_series(1, 20000) n`)
  await query('analyze conversations')
  const plan = await query(`explain select id, metadata from conversations
    where active_at < 10000 and pinned = 0 and not exists (select 1 from turns
    where turns.conversation_id = conversations.id and turns.owner is not null)
    order by active_at, id limit 100 for update skip locked`)
  const text = plan.map((row) => row['QUERY PLAN']).join('\n')
  t.match(text, /Index Scan using conversations_idle on conversations/)
  t.notMatch(text, /Sort|Seq Scan on conversations/)
})

const OLD = { createdAt: 1 }
const EXPIRED = { expiredBefore: 100 }

t.test('postgres: a conversation that another transaction holds is left for later', async (t) => {
  const url = await startDatabase()
  const store = await openTestStore(t, url)
  const client = await connect(t, url)
  const [held, free] = [await createConversation(store, OLD), await createConversation(store, OLD)]
  await client.query('begin')
  await client.query('select id from conversations where id = $1 for update', [held.id])
  t.match(await store.deleteConversations(EXPIRED, 100), { conversations: 1 })
  t.equal(await store.getConversation(SESSION, free.id), null)
  t.match(await store.deleteConversations(EXPIRED, 100), { conversations: 0 })
  t.equal(await store.countConversations(EXPIRED, 9), 1, 'which a count tells')
  await client.query('rollback')
  t.match(await store.deleteConversations(EXPIRED, 100), { conversations: 1 })
})

/** A role whose every look at a conversation waits while `client` holds a lock. */
async function startSlowRole(t: Test) {
  const url = await startDatabase()
  const store = await openTestStore(t, url)
  const client = await connect(t, url)
  const role = `slow_${new URL(url).pathname.slice(1)}`
  await client.query(`
    create role ${role} login password 'slow';
    grant all on all tables in schema public to ${role};
    create function look() returns boolean language plpgsql volatile as $$ begin
      perform pg_advisory_xact_lock_shared(42);
      return true;
    end $$;
    alter table conversations enable row level security;
    create policy looks on conversations using (look())`)
  t.teardown(async () => {
    await client.query(`drop owned by ${role}; drop role ${role}`)
  })
  const slowUrl = Object.assign(new URL(url), { username: role, password: 'slow' }).href
  return { store, client, slow: await openTestStore(t, slowUrl) }
}

t.test('postgres: a conversation in which a turn began between choosing and deleting stays', async (t) => {
  const { store, client, slow } = await startSlowRole(t)
  const [used, pinned, other] = [
    await createConversation(store, OLD),
    await createConversation(store, OLD),
    await createConversation(store, OLD)
  ]
  await client.query('select pg_advisory_lock(42)')
  const deletion = slow.deleteConversations(EXPIRED, 100)
  await waiting(client)
  await begin(store, used.id, OLD) // as old as before: nothing but that it runs can save it
  await store.updateConversation(SESSION, pinned.id, { pinned: true })
  await client.query('select pg_advisory_unlock(42)')
  t.strictSame(await deletion, { conversations: 1, turns: 0 })
  t.match(await allTurns(store, used.id), [{ status: 'in_progress' }])
  t.match(await store.getConversation(SESSION, pinned.id), { pinned: true })
  t.equal(await store.getConversation(SESSION, other.id), null)
})
