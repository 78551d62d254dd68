import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { Store } from '../../storage/contract.ts'
import { openStore } from '../../storage/open-store.ts'
import { createPersistence } from '../../storage/persistence.ts'
import { eventually, within } from '../helper/endings.ts'
import { startDatabase, startPostgres } from '../helper/postgres.ts'
import { connect, terminateAll, terminateWaiting, waiting } from '../helper/postgres-client.ts'
import { startPostgresProxy } from '../helper/postgres-proxy.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  createConversation,
  newConversation,
  newTurn,
  oneTurn,
  SESSION,
  seqs
} from './contract/rows.ts'

const UNAVAILABLE = { name: 'StoreError', code: 'STORE_UNAVAILABLE' }
const UNCERTAIN = { name: 'StoreError', code: 'STORE_UNCERTAIN' }

async function open(t: Test, url: string): Promise<Store> {
  const store = await openStore(url, { report() {} })
  t.teardown(() => store.close())
  await store.initialize()
  return store
}

async function start(t: Test) {
  const url = await startDatabase()
  const store = await open(t, url)
  const { id } = await createConversation(store)
  return { url, store, id, client: await connect(t, url) }
}

t.test('idle connections that the server ends harm neither the process nor the next call', async (t) => {
  const { store, id, client } = await start(t)
  const calls: (() => Promise<unknown>)[] = [
    () => store.getConversation(SESSION, id),
    () => begin(store, id),
    () => store.ping()
  ]
  for (const call of calls) {
    await Promise.all(seqs(10).map(() => store.listTurns(SESSION, id, { limit: 1, order: 'asc' })))
    t.ok((await terminateAll(client)) > 1)
    await t.resolves(call())
  }
})

t.test('a read finds another connection when its own has just died', async (t) => {
  const { store, id, client } = await start(t)
  await client.query('begin; lock turns in access exclusive mode')
  const read = store.listTurns(SESSION, id, { limit: 1, order: 'asc' })
  await terminateWaiting(client)
  await client.query('rollback')
  t.strictSame(await read, { data: [], hasMore: false })
})

t.test('a write whose connection dies under way is STORE_UNCERTAIN, and the next one works', async (t) => {
  const { store, id, client } = await start(t)
  const running = await begin(store, id)
  const writes: [string, () => Promise<unknown>][] = [
    ['beginTurn', () => store.beginTurn({ ...newTurn(id), idempotencyKey: 'k' })],
    ['updateConversation', () => store.updateConversation(SESSION, id, { title: 'x' })],
    ['finishTurn', () => store.finishTurn(running, COMPLETED)]
  ]
  for (const [name, write] of writes) {
    await client.query('begin; lock turns, conversations in access exclusive mode')
    const refused = t.rejects(write(), UNCERTAIN, name)
    await terminateWaiting(client)
    await refused
    await client.query('rollback')
  }
  t.match(await allTurns(store, id), [{ id: running.id, status: 'in_progress' }], 'here none had happened')
  t.equal((await begin(store, id)).seq, 2)
})

t.test(
  'a turn that was begun although its reply was lost is ended, since its client was refused',
  async (t) => {
    const { url, store, id } = await start(t)
    const proxy = await startPostgresProxy(t, url)
    const cut = await openStore(proxy.url, { report() {} })
    const persistence = createPersistence(cut, {
      owner: 'here',
      finalWriteTimeoutMs: 10_000,
      maxTurns: null,
      maxConversations: null
    })
    t.teardown(() => persistence.cleanup())
    await persistence.initialize()
    const request = { requestHash: null, idempotencyKey: null, keysSince: 0, retrySince: null }
    const place = { sessionId: SESSION, conversationId: id, parentSeq: null, expectedLastSeq: null }
    const asked = { kind: 'chat', model: null, metadata: {}, userText: 'Hi', input: null } as const
    const question = { ...place, ...asked, request }

    proxy.loseReplyTo('insert into turns')
    await t.rejects(persistence.recordUserMessage(question), UNCERTAIN)
    t.ok(proxy.lost)
    await eventually('it has ended', async () => (await allTurns(store, id))[0]?.status !== 'in_progress')
    t.match(await allTurns(store, id), [
      { seq: 1, userText: 'Hi', status: 'incomplete', error: 'server_lost' }
    ])

    const recorded = await persistence.recordUserMessage(question)
    if (recorded?.outcome !== 'begun') throw new Error('the turn has not begun')
    const { turn } = recorded
    proxy.loseReplyTo('Hello')
    const answer = { text: 'Hello', finishReason: 'stop', completionId: null, model: null, output: null }
    await persistence.recordAssistantFinal(turn, answer)
    t.ok(proxy.lost)
    t.match(await oneTurn(store, turn), { seq: 2, status: 'completed', assistantText: 'Hello' })
    t.equal((await allTurns(store, id)).length, 2)
  }
)

t.test('a write of one statement that the server ends is made again, and nobody hears of it', async (t) => {
  const { store, id, client } = await start(t)
  const running = await begin(store, id)
  const userText = 'Hi'
  const writes: [string, () => Promise<unknown>][] = [
    ['beginTurn', () => store.beginTurn(newTurn(id))],
    ['finishTurn', () => store.finishTurn({ ...running, userText }, COMPLETED)],
    ['deleteConversation', () => store.deleteConversation(SESSION, id)]
  ]
  for (const [name, write] of writes) {
    await client.query('begin; lock turns, conversations in access exclusive mode')
    const written = write()
    await terminateWaiting(client)
    await client.query('rollback')
    t.ok(await written, name)
    if (name === 'beginTurn') t.equal((await allTurns(store, id)).length, 2, 'it began once')
  }
})

t.test('a deadlock that the server resolves against us is tried again, and nobody hears of it', async (t) => {
  const { store, id, client } = await start(t)
  await client.query(`set deadlock_timeout = '1min'`) // so that the store is the one to be undone
  await client.query('begin')
  await client.query(
    `insert into turns (id, session_id, conversation_id, seq, parent_seq, superseded, status, created_at)
     values ('turn_x', 'x', $1, 1, 0, 0, 'completed', 1)`,
    [id]
  )
  const begun = begin(store, id) // has the conversation, waits for the turn's place
  await waiting(client)
  await client.query('update conversations set pinned = 1 where id = $1', [id]) // closes the circle
  await client.query('rollback')
  t.equal((await begun).seq, 1)
  t.equal((await allTurns(store, id)).length, 1)
})

t.test('serialization failures are tried again', async (t) => {
  const { url, id, client } = await start(t)
  const name = new URL(url).pathname.slice(1)
  await client.query(`alter database ${name} set default_transaction_isolation = 'serializable'`)
  const strict = await open(t, url)
  for (let round = 0; round < 5; round++) await Promise.all(seqs(4).map(() => begin(strict, id)))
  t.strictSame(
    (await allTurns(strict, id)).map(({ seq }) => seq),
    seqs(20)
  )
  await strict.close() // its connections tell what they did when they end
  const failed = 'select xact_rollback from pg_stat_database where datname = current_database()'
  await eventually(
    'there were some',
    async () => Number((await client.query(failed)).rows[0].xact_rollback) > 0
  )
})

t.test(
  'while the server is down each call is STORE_UNAVAILABLE at once; when it is back, all is well',
  async (t) => {
    const server = await startPostgres(t)
    const store = await open(t, await server.createDatabase())
    const { id } = await createConversation(store)
    const running = await begin(store, id)
    await server.stop()
    await t.rejects(store.ping(), UNAVAILABLE) // the pool has noticed
    const calls = {
      createConversation: () => store.createConversation(newConversation()),
      beginTurn: () => store.beginTurn(newTurn(id)),
      finishTurn: () => store.finishTurn(running, COMPLETED),
      getConversation: () => store.getConversation(SESSION, id)
    }
    for (const [name, call] of Object.entries(calls)) {
      await within(1_500, name, t.rejects(call() as Promise<unknown> as Promise<void>, UNAVAILABLE, name))
    }
    await server.start()
    t.equal(await store.finishTurn(running, COMPLETED), true)
    t.match(await allTurns(store, id), [{ seq: 1, status: 'completed' }])
  }
)

t.test('a server that takes connections and never answers is STORE_UNAVAILABLE within 1.5 s', async (t) => {
  const silent = net.createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const store = await openStore(`postgres://u:canary@127.0.0.1:${port}/d`, { report() {} })
  t.teardown(() => store.close())
  const refused = seqs(15).map(() => t.rejects(store.createConversation(newConversation()), UNAVAILABLE))
  await within(1_500, 'the refusals', Promise.all(refused))
})
