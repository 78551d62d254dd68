import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Store } from '../../storage/contract.ts'
import { openStore } from '../../storage/open-store.ts'
import { startDatabase } from '../helper/postgres.ts'
import { connect, terminateAll } from '../helper/postgres-client.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  createConversation,
  exchange,
  newTurn,
  SESSION,
  seqs
} from './contract/rows.ts'

async function open(t: Test, url: string): Promise<Store> {
  const store = await openStore(url, { report() {} })
  t.teardown(() => store.close())
  await store.initialize()
  return store
}

t.test('what one instance has written, every other reads at once', async (t) => {
  const url = await startDatabase()
  const [one, other] = [await open(t, url), await open(t, url)]
  for (const [writer, reader] of [
    [one, other],
    [other, one]
  ] as const) {
    const { id } = await createConversation(writer, { title: 'Shared' })
    t.match(await reader.getConversation(SESSION, id), { title: 'Shared' })
    const key = await begin(writer, id)
    t.match(await allTurns(reader, id), [{ id: key.id, status: 'in_progress' }])
    t.equal(await reader.finishTurn(key, COMPLETED), true, 'any instance may end it')
    t.equal(await writer.finishTurn(key, COMPLETED), false, 'once')
    await reader.updateConversation(SESSION, id, { pinned: true })
    t.match(await writer.getConversation(SESSION, id), { pinned: true, lastSeq: 1 })
    t.equal(await reader.deleteConversation(SESSION, id), true)
    t.equal(await writer.beginTurn(newTurn(id)), null)
  }
})

t.test('turns that two instances begin in one conversation at once are numbered without gaps', async (t) => {
  const url = await startDatabase()
  const stores = [await open(t, url), await open(t, url)]
  const { id } = await createConversation(stores[0] as Store)
  const begun = await Promise.all(stores.flatMap((store) => seqs(50).map(() => begin(store, id))))
  t.strictSame(
    begun.map(({ seq }) => seq).sort((a, b) => a - b),
    seqs(100)
  )
  const kept = await allTurns(stores[1] as Store, id)
  t.strictSame(new Map(kept.map((turn) => [turn.seq, turn.id])), new Map(sorted(begun)))
})

function sorted(keys: { seq: number; id: string }[]): [number, string][] {
  return keys.toSorted((a, b) => a.seq - b.seq).map(({ seq, id }) => [seq, id])
}

t.test('several instances may start on a database that is still empty', async (t) => {
  const url = await startDatabase()
  const stores = await Promise.all(seqs(6).map(() => open(t, url)))
  const { id } = await createConversation(stores[0] as Store)
  await Promise.all(stores.map((store) => exchange(store, id)))
  t.equal((await allTurns(stores[5] as Store, id)).length, 6)
})

t.test('a schema that is newer than this version is STORE_SCHEMA, and is left alone', async (t) => {
  const url = await startDatabase()
  await (await open(t, url)).close()
  const client = await connect(t, url)
  await client.query(`insert into kysely_migration values ('9999_later', '2026-01-01')`)
  const schema = async () => (await client.query('select * from pg_class, kysely_migration')).rows
  const before = await schema()
  const store = await openStore(url, { report() {} })
  t.teardown(() => store.close())
  await t.rejects(store.initialize(), { name: 'StoreError', code: 'STORE_SCHEMA' })
  t.strictSame(await schema(), before)
})

t.test('nothing belongs to a session: a transaction pooler may stand in between', async (t) => {
  const url = await startDatabase()
  const client = await connect(t, url)
  const store = await open(t, url)
  // Runs in the store's own sessions, which nobody else can look into.
  await client.query(`
    create table probe (settings text, channels bigint);
    create table named (name text, statement text);
    create function look() returns trigger language plpgsql as $$ begin
      insert into named select name, statement from pg_prepared_statements;
      insert into probe select (select string_agg(name, ' ') from pg_settings where source = 'session'),
        (select count(*) from pg_listening_channels());
      return new;
    end $$;
    create trigger look after insert or update on turns for each row execute function look()`)
  const { id } = await createConversation(store)
  await Promise.all(seqs(20).map(() => exchange(store, id)))
  await exchange(store, id, { parentSeq: 1 })
  await store.beat('x')
  await store.recoverTurns('x')
  const { rows } = await client.query('select distinct * from probe')
  t.strictSame(rows, [{ settings: null, channels: '0' }])
  const named = await client.query('select distinct * from named')
  t.ok(named.rows.length > 1)
  for (const { name, statement } of named.rows) {
    const hash = createHash('sha256').update(statement).digest('hex')
    t.ok(hash.startsWith(name) && name.length === 32, 'in any session a name is that of this text alone')
  }
  t.equal((await client.query(`select * from pg_locks where locktype = 'advisory'`)).rowCount, 0)
  t.ok((await terminateAll(client)) > 1, 'there were sessions to look into')
})
