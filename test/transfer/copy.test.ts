import t, { type Test } from 'tap'
import type { Store, Turn } from '../../storage/contract.ts'
import { copyStore, type Progress } from '../../storage/transfer/copy.ts'
import { startDatabase } from '../helper/postgres.ts'
import { addConversation, contentOf, filejsonUrl, openTestStore, sqliteUrl } from '../helper/transfer.ts'
import { newKey } from '../storage/contract/api-keys.ts'
import { newTurn } from '../storage/contract/rows.ts'

const SQLITE = async (t: Test) => openTestStore(t, sqliteUrl(t))
const FILEJSON = async (t: Test) => openTestStore(t, filejsonUrl(t))
const POSTGRES = async (t: Test) => openTestStore(t, await startDatabase())

/** A store with everything that could get lost on the way; one turn of it is running. */
async function fill(store: Store): Promise<void> {
  const odd: Partial<Turn>[] = [
    { userText: 'Grüße 👩‍👩‍👧 \u202e', assistantText: 'x'.repeat(1_000_000), superseded: true },
    { detail: { input: [{ role: 'user', content: 'a\0b \ud800' }] }, userText: 'a\0b', parentSeq: 0 },
    { status: 'failed', error: 'upstream_error', assistantText: null, finishReason: null },
    { detail: { 'ä"': [1.5, null, true, { deep: {} }] }, completionId: 'chatcmpl-1', userText: null }
  ]
  await addConversation(store, 4, ({ seq }) => odd[seq - 1] ?? {}, {
    sessionId: 'böb',
    title: 'Ein Titel',
    model: null,
    metadata: { 'schlüssel\0': 'wert' },
    pinned: true
  })
  await addConversation(store, 0)
  const { id } = await addConversation(store, 1)
  await store.beginTurn(newTurn(id, { userText: 'still running', owner: 'elsewhere' }))
}

t.test('what goes from SQLite through Postgres and JSON files back to SQLite is the same', async (t) => {
  const source = await SQLITE(t)
  await fill(source)
  const before = await contentOf(source)
  let from = source
  for (const [hop, start] of [POSTGRES, FILEJSON, SQLITE].entries()) {
    const to = await start(t)
    const report = await copyStore(from, to)
    t.strictSame([...report.problems], [])
    t.match(report, { conversations: 3, turns: 6, ended: hop === 0 ? 1 : 0 })
    const { source: read, target, others } = report.verification
    t.match(read, { conversations: 3, turns: 6, checksum: /^[0-9a-f]{64}$/ })
    t.strictSame(target, read)
    t.equal(others, 0)
    from = to
  }
  const after = await contentOf(from)
  const running = before[2]?.turns[1]
  t.equal(running?.status, 'in_progress')
  Object.assign(running ?? {}, { status: 'incomplete', error: 'server_lost' })
  t.strictSame(after, before)
  t.equal((await contentOf(source))[2]?.turns[1]?.status, 'in_progress', 'the source is as it was')
})

t.test('a turn that was running belongs to nobody in the target', async (t) => {
  const [from, to] = [await SQLITE(t), await SQLITE(t)]
  await fill(from)
  await copyStore(from, to)
  t.equal(await to.recoverTurns('elsewhere'), 0)
})

t.test('a second run changes nothing, and newer turns of the source follow', async (t) => {
  const [from, to] = [await SQLITE(t), await FILEJSON(t)]
  const { id, sessionId } = await addConversation(from, 3)
  await copyStore(from, to)
  const first = await contentOf(to)
  t.equal((await copyStore(from, to)).problems.size, 0)
  t.strictSame(await contentOf(to), first)
  await from.beginTurn(newTurn(id, { sessionId }))
  t.match(await copyStore(from, to), { turns: 4, ended: 1 })
  t.equal((await contentOf(to))[0]?.turns.length, 4)
})

t.test('a conversation of 1,200 turns is copied whole', async (t) => {
  const [from, to] = [await SQLITE(t), await FILEJSON(t)]
  await addConversation(from, 1_200, ({ seq }) => ({ superseded: seq % 3 === 0 }))
  const report = await copyStore(from, to)
  t.match(report, { conversations: 1, turns: 1_200 })
  t.strictSame([...report.problems], [])
  t.strictSame(await contentOf(to), await contentOf(from))
})

t.test('what the target has beside is left alone and counted', async (t) => {
  const [from, to] = [await SQLITE(t), await SQLITE(t)]
  await addConversation(from, 1)
  const other = await addConversation(to, 2)
  const report = await copyStore(from, to)
  t.equal(report.problems.size, 0)
  t.equal(report.verification.others, 1)
  t.equal((await contentOf(to)).find(({ conversation }) => conversation.id === other.id)?.turns.length, 2)
})

t.test('a conversation that has gone on in the target is not set back, and named', async (t) => {
  const [from, to] = [await SQLITE(t), await SQLITE(t)]
  const { id, sessionId } = await addConversation(from, 1)
  await copyStore(from, to)
  await to.beginTurn(newTurn(id, { sessionId }))
  const before = await contentOf(to)
  const report = await copyStore(from, to)
  t.strictSame([...report.problems], [[id, 'has more turns in the target, left as it is there']])
  t.strictSame(await contentOf(to), before)
})

t.test('progress goes from one conversation to the last, once for each phase', async (t) => {
  const [from, to] = [await SQLITE(t), await SQLITE(t)]
  for (let count = 0; count < 3; count += 1) await addConversation(from, 1)
  const seen: Progress[] = []
  await copyStore(from, to, (progress) => seen.push(progress))
  const expected = ['copying', 'verifying'].flatMap((phase) =>
    [1, 2, 3].map((done) => ({ phase, done, total: 3 }))
  )
  t.strictSame(seen, expected)
})

t.test('more conversations than fit on a page are all copied', async (t) => {
  const [from, to] = [await SQLITE(t), await SQLITE(t)]
  await Promise.all(Array.from({ length: 450 }, () => addConversation(from, 1)))
  t.match(await copyStore(from, to), { conversations: 450, turns: 450 })
  t.strictSame(await contentOf(to), await contentOf(from))
})

t.test('keys are copied, and those of the target stay', async (t) => {
  const source = await SQLITE(t)
  const [one, other, own] = [newKey({ sessionId: 'böb', name: null }), newKey(), newKey()]
  for (const key of [one, other]) await source.keys.add(key)
  let from = source
  for (const start of [POSTGRES, FILEJSON, SQLITE]) {
    const to = await start(t)
    await to.keys.add({ ...one, hash: '0'.repeat(64) })
    t.match(await copyStore(from, to), { keys: 2, problems: new Map() })
    t.strictSame(await to.keys.list(), [one, other])
    from = to
  }
  await from.keys.add(own)
  await from.keys.remove(other.id)
  await copyStore(source, from)
  t.strictSame(await from.keys.list(), [one, other, own], 'what was removed in the target comes again')
})

t.test('a key that is not kept as it was given is named', async (t) => {
  const [from, to] = [await SQLITE(t), await SQLITE(t)]
  const key = newKey()
  await from.keys.add(key)
  const forgetful = { ...to, keys: { ...to.keys, add: async () => {} } }
  t.strictSame([...(await copyStore(from, forgetful)).problems], [[key.id, 'differs in the target']])
})
