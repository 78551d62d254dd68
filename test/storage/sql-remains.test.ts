import path from 'node:path'
import t, { type Test } from 'tap'
import type { Store } from '../../storage/contract.ts'
import { tempFolder } from '../helper/app.ts'
import { openDatabase } from '../helper/database.ts'
import { startDatabase } from '../helper/postgres.ts'
import { connect } from '../helper/postgres-client.ts'
import { openTestStore } from '../helper/transfer.ts'
import {
  begin,
  COMPLETED,
  createConversation,
  exchange,
  newConversation,
  oneTurn,
  SESSION
} from './contract/rows.ts'

type Query = (text: string) => Promise<Record<string, unknown>[]>

/** A store, and a connection of one's own to the same database. */
const databases: { [name: string]: (t: Test) => Promise<{ store: Store; query: Query }> } = {
  async sqlite(t) {
    const url = `sqlite:${path.join(tempFolder(t), 'store.db')}`
    const store = await openTestStore(t, url)
    const sqlite = openDatabase(t, url)
    return { store, query: async (text) => sqlite.prepare<[], Record<string, unknown>>(text).all() }
  },
  async postgres(t) {
    const url = await startDatabase()
    const store = await openTestStore(t, url)
    const client = await connect(t, url)
    return { store, query: async (text) => (await client.query(text)).rows }
  }
}

const IMAGE = `data:image/png;base64,${'iVBORw0KGgo'.repeat(300)}`

for (const [name, create] of Object.entries(databases)) {
  const countOf = async (query: Query, table: string) =>
    Number((await query(`select count(*) as n from ${table}`))[0]?.n)

  t.test(
    `${name}: media is kept once for a conversation, and goes with the last turn that has it`,
    async (t) => {
      const { store, query } = await create(t)
      const [one, other] = [await createConversation(store), await createConversation(store)]
      const detail = { input: [{ image_url: { url: IMAGE } }] }
      const keys = []
      for (const { id } of [one, one, other]) keys.push(await exchange(store, id, { detail }, { detail }))
      t.equal(await countOf(query, 'media'), 2)
      for (const row of await query('select detail from turns')) {
        t.match(row.detail, /media:sha256:[0-9a-f]{64}/)
        t.ok(String(row.detail).length < 200)
      }
      const [first, second, third] = keys
      if (!first || !second || !third) throw new Error('three turns')
      await store.changeTurn(SESSION, first, () => null)
      t.equal(await countOf(query, 'media'), 2, 'another turn has it')
      await store.changeTurn(SESSION, second, (turn) => ({ ...turn, detail: { text: 'no image' } }))
      t.strictSame(
        (await query('select conversation_id from media')).map((row) => row.conversation_id),
        [other.id]
      )
      await store.deleteConversation(SESSION, other.id)
      t.equal(await countOf(query, 'media'), 0)
    }
  )

  t.test(`${name}: media that a new attempt does not have is gone`, async (t) => {
    const { store, query } = await create(t)
    const { id } = await createConversation(store)
    const request = { requestHash: 'h', retrySince: 0 }
    const failed = { status: 'failed', error: 'upstream_error' } as const
    await exchange(store, id, { ...request, detail: { a: IMAGE } }, { ...failed, detail: { a: IMAGE } })
    t.equal(await countOf(query, 'media'), 1)
    await begin(store, id, request)
    t.equal(await countOf(query, 'media'), 0)
  })

  t.test(`${name}: of what was deleted, changed or replaced no word stays in the index`, async (t) => {
    const { store, query } = await create(t)
    const entries = async () =>
      name === 'sqlite'
        ? [await countOf(query, 'search_entries'), await countOf(query, 'search_words_docsize')]
        : [await countOf(query, 'search_entries'), await countOf(query, 'search_entries')]
    const { id } = await createConversation(store, { title: 'title' })
    t.strictSame(await entries(), [1, 1])
    const keys = [await exchange(store, id), await exchange(store, id), await exchange(store, id)]
    t.strictSame(await entries(), [4, 4])
    const running = await begin(store, id, { parentSeq: 1 })
    t.strictSame(await entries(), [4, 4])
    await store.finishTurn(running, COMPLETED)
    t.strictSame(await entries(), [3, 3], 'the title, and two turns')
    if (keys[0]) await store.changeTurn(SESSION, keys[0], () => null)
    t.strictSame(await entries(), [2, 2])
    await store.updateConversation(SESSION, id, { title: '…' })
    t.strictSame(await entries(), [1, 1])
    await store.deleteConversation(SESSION, id)
    t.strictSame(await entries(), [0, 0])
  })
}

t.test('sqlite: writes that share a transaction leave no words of what went, or failed, in it', async (t) => {
  const { store, query } = await (databases.sqlite as NonNullable<typeof databases.sqlite>)(t)
  const found = async (word: string) =>
    (await store.listConversations(SESSION, { limit: 9, order: 'asc', words: [word] })).data.map(
      ({ id }) => id
    )
  const [gone, taken] = [newConversation({ title: 'gone' }), newConversation({ title: 'taken' })]
  const before = store.counters.transactions
  await Promise.allSettled([
    store.createConversation(gone),
    store.deleteConversation(SESSION, gone.id),
    store.createConversation(taken),
    store.createConversation({ ...taken, title: 'refused' }),
    store.createConversation(newConversation({ title: 'before' })),
    store.updateConversation(SESSION, taken.id, { title: 'twice' })
  ])
  t.ok(store.counters.transactions - before < 4, 'they did share')
  t.strictSame((await query('select count(*) as n from search_words_docsize'))[0], { n: 2 })
  for (const word of ['gone', 'refused', 'taken']) t.strictSame(await found(word), [], word)
  t.strictSame(await found('twice'), [taken.id])
  t.equal((await found('before')).length, 1)
})

t.test('sqlite: a write that fails midway leaves the words as they were', async (t) => {
  const { store } = await (databases.sqlite as NonNullable<typeof databases.sqlite>)(t)
  const { id } = await createConversation(store)
  const turn = await oneTurn(store, await exchange(store, id, { userText: 'right' }))
  if (!turn) throw new Error('the turn is gone')
  const turns = [
    { ...turn, userText: 'wrong' },
    { ...turn, seq: null as never }
  ]
  await t.rejects(store.importTurns(turns), { code: 'STORE_UNAVAILABLE' })
  const found = async (word: string) =>
    (await store.listConversations(SESSION, { limit: 9, order: 'asc', words: [word] })).data.length
  t.strictSame([await found('right'), await found('wrong')], [1, 0])
})
