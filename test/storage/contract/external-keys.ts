import type { NewTurn, Store, TurnKey } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import { allTurns, begin, createConversation, newTurn, SESSION, seqs } from './rows.ts'

const ALL = { limit: 100, order: 'asc' } as const
const FULL = { name: 'StoreError', code: 'CONVERSATION_FULL' }

/** Begins a turn in the conversation that has this name elsewhere, which is made where there is none. */
function beginNamed(store: Store, externalKey: string, changes: Partial<NewTurn> = {}): Promise<TurnKey> {
  return begin(store, changes.conversationId ?? newId('conv'), { create: true, externalKey, ...changes })
}

async function conversationsOf(store: Store, sessionId = SESSION): Promise<string[]> {
  return (await store.listConversations(sessionId, ALL)).data.map(({ id }) => id)
}

const externalKeys: ContractPart = (t, start) => {
  t.test('the first request with a key makes the conversation, and later ones are filed in it', async (t) => {
    const store = await start(t)
    t.equal(await store.findExternal(SESSION, 'thread'), null)
    const given = newId('conv')
    const first = await beginNamed(store, 'thread', { conversationId: given, title: 'First', model: 'm' })
    t.match(first, { conversationId: given, seq: 1, parentSeq: 0, attempt: 1 })
    t.equal(await store.findExternal(SESSION, 'thread'), given)
    const later = await beginNamed(store, 'thread', {
      title: 'Second',
      model: 'n',
      createdAt: 1_800_000_000_000
    })
    t.match(later, { conversationId: given, seq: 2, parentSeq: 1, attempt: 1 })
    t.match(await beginNamed(store, 'thread', { conversationId: given }), { seq: 3 }, 'also under its own id')
    t.match(await store.getConversation(SESSION, given), { title: 'First', model: 'n', lastSeq: 3 })
    t.strictSame(await conversationsOf(store), [given])
    t.match(await allTurns(store, given), [{ seq: 1 }, { seq: 2 }, { seq: 3 }])
  })

  t.test('a title is taken when there is none yet', async (t) => {
    const store = await start(t)
    const { conversationId } = await beginNamed(store, 'thread')
    await beginNamed(store, 'thread', { title: 'Later' })
    t.match(await store.getConversation(SESSION, conversationId), { title: 'Later' })
    t.match(await store.listConversations(SESSION, { ...ALL, words: ['later'] }), {
      data: [{ title: 'Later' }]
    })
    await beginNamed(store, 'titled', { title: 'Atonce' })
    t.match(await store.listConversations(SESSION, { ...ALL, words: ['atonce'] }), {
      data: [{ title: 'Atonce' }]
    })
  })

  t.test('keys are of one session, and one key is not another', async (t) => {
    const store = await start(t)
    const own = await beginNamed(store, 'thread')
    t.equal(await store.findExternal('bob', 'thread'), null)
    const bobs = await beginNamed(store, 'thread', { sessionId: 'bob' })
    const other = await beginNamed(store, 'Thread')
    t.strictSame([bobs.seq, other.seq], [1, 1])
    t.equal(new Set([own, bobs, other].map(({ conversationId }) => conversationId)).size, 3)
    t.equal(await store.findExternal(SESSION, 'thread'), own.conversationId)
    t.equal(await store.findExternal('bob', 'thread'), bobs.conversationId)
    t.equal(await store.findExternal(SESSION, 'Thread'), other.conversationId)
    t.match(await beginNamed(store, 'thread', { sessionId: 'bob' }), {
      ...bobs,
      id: String,
      seq: 2,
      parentSeq: 1
    })
  })

  t.test('without `create` a key means nothing', async (t) => {
    const store = await start(t)
    await beginNamed(store, 'thread')
    const { id } = await createConversation(store)
    t.match(await begin(store, id, { externalKey: 'thread' }), { conversationId: id, seq: 1 })
    t.match(await begin(store, id, { externalKey: 'new' }), { conversationId: id, seq: 2 })
    t.equal(await store.findExternal(SESSION, 'new'), null)
    t.equal(await store.beginTurn(newTurn(newId('conv'), { externalKey: 'thread' })), null)
  })

  t.test('what else the metadata of the conversation has is not in the turn', async (t) => {
    const store = await start(t)
    for (const externalKey of ['thread', null]) {
      const more = { metadata: { a: '1', b: '1' }, conversationMetadata: { b: '2', c: '3' } }
      const { conversationId } = await begin(store, newId('conv'), { ...more, create: true, externalKey })
      t.strictSame((await store.getConversation(SESSION, conversationId))?.metadata, {
        a: '1',
        b: '2',
        c: '3'
      })
      t.match(await allTurns(store, conversationId), [{ metadata: { a: '1', b: '1' } }])
      t.notOk('c' in ((await allTurns(store, conversationId))[0]?.metadata ?? {}))
    }
    const later = await beginNamed(store, 'thread', {
      metadata: { d: '4' },
      conversationMetadata: { e: '5' }
    })
    t.strictSame((await store.getConversation(SESSION, later.conversationId))?.metadata, {
      a: '1',
      b: '2',
      c: '3'
    })
    t.strictSame((await allTurns(store, later.conversationId))[1]?.metadata, { d: '4' })
  })

  t.test('after a deletion the key makes a new conversation', async (t) => {
    const store = await start(t)
    const first = await beginNamed(store, 'thread')
    const before = await store.getConversation(SESSION, first.conversationId)
    await store.deleteConversation(SESSION, first.conversationId)
    t.equal(await store.findExternal(SESSION, 'thread'), null)
    if (before) await store.importConversation(before)
    t.equal(await store.findExternal(SESSION, 'thread'), null, 'and one that comes back does not have it')
    const second = await beginNamed(store, 'thread', { createdAt: 100 })
    t.not(second.conversationId, first.conversationId)
    t.equal(second.seq, 1)
    await store.recoverTurns('here')
    await store.deleteConversations({ expiredBefore: 200 }, 10)
    t.equal(await store.findExternal(SESSION, 'thread'), null)
    t.equal((await beginNamed(store, 'thread')).seq, 1)
  })

  t.test('many requests with a new key at once are one conversation', async (t) => {
    const store = await start(t)
    for (const externalKey of ['thread', 'other']) {
      const before = (await conversationsOf(store)).length
      const begun = await Promise.all(
        seqs(20).map(() => beginNamed(store, externalKey, { title: 'At once' }))
      )
      const [id = ''] = new Set(begun.map(({ conversationId }) => conversationId))
      t.equal(new Set(begun.map(({ conversationId }) => conversationId)).size, 1)
      t.strictSame(
        (await allTurns(store, id)).map(({ seq, parentSeq }) => [seq, parentSeq]),
        seqs(20).map((seq) => [seq, seq - 1])
      )
      t.equal((await conversationsOf(store)).length, before + 1, 'nothing was made beside it')
      t.equal(await store.findExternal(SESSION, externalKey), id)
    }
  })

  t.test('the highest seq, the newest expected and the parent hold there too', async (t) => {
    const store = await start(t)
    const conversationId = newId('conv')
    const named = (changes: Partial<NewTurn>) =>
      store.beginTurn(newTurn(newId('conv'), { create: true, externalKey: 'thread', ...changes }))
    await t.rejects(named({ maxSeq: 0 }), FULL)
    await t.rejects(named({ parentSeq: 1 }), { code: 'PARENT_INVALID' })
    await t.rejects(named({ expectedLastSeq: 1 }), { code: 'CONVERSATION_BUSY' })
    t.equal(await store.findExternal(SESSION, 'thread'), null)
    t.strictSame(await conversationsOf(store), [])
    for (const seq of [1, 2])
      t.equal((await beginNamed(store, 'thread', { conversationId, maxSeq: 2 })).seq, seq)
    const before = [
      await store.getConversation(SESSION, conversationId),
      await allTurns(store, conversationId)
    ]
    await t.rejects(named({ maxSeq: 2 }), FULL)
    await t.rejects(named({ parentSeq: 3 }), { code: 'PARENT_INVALID' })
    await t.rejects(named({ expectedLastSeq: 0 }), { code: 'CONVERSATION_BUSY' })
    await t.rejects(named({ expectedLastSeq: 2 }), { code: 'CONVERSATION_BUSY' }, 'turns run')
    t.strictSame(
      [await store.getConversation(SESSION, conversationId), await allTurns(store, conversationId)],
      before
    )
    await store.recoverTurns('here')
    t.match(await beginNamed(store, 'thread', { expectedLastSeq: 2, parentSeq: 1, maxSeq: 3 }), {
      ...{ conversationId, seq: 3, parentSeq: 1 }
    })
  })

  t.test('an idempotency key comes first', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const asked = { idempotencyKey: 'k', requestHash: 'h' }
    const first = await begin(store, id, asked)
    const again = newTurn(newId('conv'), { ...asked, create: true, externalKey: 'thread' })
    t.match(await store.beginTurn(again), { outcome: 'known', turn: { id: first.id } })
    t.equal(await store.findExternal(SESSION, 'thread'), null)
    const begun = await Promise.all(
      seqs(6).map((n) => beginNamed(store, 'keyed', { idempotencyKey: `k${n}`, requestHash: 'h' }))
    )
    t.strictSame(begun.map(({ seq }) => seq).toSorted(), seqs(6))
  })

  t.test('an import over a conversation leaves it its key', async (t) => {
    const store = await start(t)
    const { conversationId } = await beginNamed(store, 'thread')
    const conversation = await store.getConversation(SESSION, conversationId)
    if (!conversation) return t.fail('the conversation is there')
    await store.importConversation({ ...conversation, title: 'Imported', pinned: true })
    t.equal(await store.findExternal(SESSION, 'thread'), conversationId)
    t.match(await beginNamed(store, 'thread'), { conversationId, seq: 2 })
  })

  t.test('an import that gives a conversation to another session leaves the key behind', async (t) => {
    const store = await start(t)
    const [own, bobs] = [
      await beginNamed(store, 'thread'),
      await beginNamed(store, 'thread', { sessionId: 'bob' })
    ]
    const conversation = await store.getConversation(SESSION, own.conversationId)
    if (!conversation) return t.fail('the conversation is there')
    await store.importConversation({ ...conversation, sessionId: 'bob' })
    t.equal(await store.findExternal(SESSION, 'thread'), null)
    t.equal(await store.findExternal('bob', 'thread'), bobs.conversationId)
    await store.deleteConversation('bob', bobs.conversationId)
    t.equal(await store.findExternal('bob', 'thread'), null)
    t.equal((await beginNamed(store, 'thread')).seq, 1)
  })
}

export default externalKeys
