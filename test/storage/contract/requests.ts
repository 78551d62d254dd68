import type { NewTurn } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  CUT_OFF,
  createConversation,
  exchange,
  FAILED,
  newTurn,
  oneTurn,
  SESSION,
  seqs
} from './rows.ts'

const KEYED = { idempotencyKey: 'k', requestHash: 'h' } as const
const RETRIED = { requestHash: 'h', retrySince: 0 } as const
const EVERYTHING = { limit: 100, order: 'asc' } as const

const requests: ContractPart = (t, start) => {
  t.test('a key that is met again reports the turn as it is, and changes nothing', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const key = await begin(store, id, { ...KEYED, detail: { a: 1 } })
    for (const finish of [false, true]) {
      if (finish) await store.finishTurn(key, COMPLETED)
      const turn = await oneTurn(store, key)
      const before = [await store.listConversations(SESSION, EVERYTHING), await allTurns(store, id)]
      for (const { requestHash, sameRequest } of [
        { requestHash: 'h', sameRequest: true },
        { requestHash: 'other', sameRequest: false },
        { requestHash: null, sameRequest: false }
      ]) {
        for (const place of [
          { conversationId: id },
          { conversationId: newId('conv') },
          { create: true, conversationId: newId('conv') },
          { conversationId: id, parentSeq: 99 },
          { conversationId: id, expectedLastSeq: 77 }
        ]) {
          const again = newTurn(id, { ...KEYED, requestHash, ...place })
          t.strictSame(await store.beginTurn(again), { outcome: 'known', turn, sameRequest })
        }
      }
      t.strictSame([await store.listConversations(SESSION, EVERYTHING), await allTurns(store, id)], before)
    }
  })

  t.test('a turn that begins anew keeps what it was asked, where that is wanted', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const asked = { input: [{ role: 'user', content: 'the whole of it' }] }
    const given = { detail: { input: ['less'] }, keepsInput: true, retrySince: 0 }
    for (const [requestHash, detail] of [
      ['h', asked],
      ['i', null]
    ] as const) {
      const ending = { ...CUT_OFF, detail: { ...detail, choices: ['half'] } }
      const first = await exchange(store, id, { requestHash, detail }, ending)
      const again = await store.beginTurn(newTurn(id, { ...given, requestHash }))
      t.match(again, { outcome: 'begun', turn: { id: first.id, attempt: 2 } })
      t.strictSame(again?.outcome === 'begun' ? again.input : undefined, detail)
      t.strictSame((await oneTurn(store, first))?.detail, detail, 'and nothing of the answer')
    }
    const fresh = await store.beginTurn(newTurn(id, { ...given, requestHash: 'j' }))
    t.notOk(fresh && 'input' in fresh, 'what has not begun before has kept nothing')
  })

  t.test('a turn that failed under a key begins anew, but not for another request', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const first = await exchange(store, id, { ...KEYED, parentSeq: 0 }, { ...CUT_OFF, detail: { old: 1 } })
    await exchange(store, id)
    const other = await store.beginTurn(newTurn(id, { ...KEYED, requestHash: 'other' }))
    t.match(other, { outcome: 'known', sameRequest: false, turn: { status: 'incomplete' } })
    const given = newTurn(newId('conv'), {
      ...KEYED,
      ...{ create: true, model: 'new', metadata: { n: '1' }, userText: 'again', detail: { n: 2 } },
      ...{ owner: 'elsewhere', createdAt: 1_800_000_000_000, parentSeq: 99 }
    })
    const before = await oneTurn(store, first)
    const again = { ...first, attempt: 2 }
    t.strictSame(await store.beginTurn(given), { outcome: 'begun', turn: again })
    const unanswered = { assistantText: null, finishReason: null, completionId: null, error: null }
    t.strictSame(await oneTurn(store, first), {
      ...before,
      ...{ ...unanswered, status: 'in_progress', attempt: 2, model: 'new', metadata: { n: '1' } },
      detail: { n: 2 }
    })
    t.match(await store.getConversation(SESSION, id), { lastSeq: 2, activeAt: given.createdAt })
    t.equal((await store.listConversations(SESSION, EVERYTHING)).data.length, 1, 'no conversation was made')
    t.equal(await store.finishTurn(first, COMPLETED), false, 'the earlier attempt has ended')
    t.equal(await store.recoverTurns('elsewhere'), 1, 'it is its new owner’s')
    t.equal(await store.finishTurn(first, COMPLETED), false)
    t.equal(await store.finishTurn(again, COMPLETED), true)
    t.match(await store.beginTurn(given), { outcome: 'known', sameRequest: true, turn: { attempt: 2 } })
  })

  t.test('a key that is too old is lost, and so is free', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const old = await exchange(store, id, { ...KEYED, createdAt: 100 }, FAILED)
    t.match(await store.beginTurn(newTurn(id, { ...KEYED, requestHash: 'x', keysSince: 100 })), {
      outcome: 'known'
    })
    const fresh = await begin(store, id, { ...KEYED, createdAt: 300, keysSince: 101 })
    t.equal(fresh.seq, 2)
    t.match(await store.beginTurn(newTurn(id, KEYED)), { outcome: 'known', turn: { id: fresh.id } })
    t.match(await begin(store, id, RETRIED), { id: old.id, attempt: 2 }, 'without a key it can be retried')
  })

  t.test('keys and retries are of one session', async (t) => {
    const store = await start(t)
    const bob = await createConversation(store, { sessionId: 'bob' })
    const { id } = await createConversation(store)
    await exchange(store, bob.id, { ...KEYED, sessionId: 'bob' })
    await exchange(store, bob.id, { ...RETRIED, sessionId: 'bob' }, FAILED)
    t.match(await begin(store, id, KEYED), { seq: 1, attempt: 1 })
    t.match(await begin(store, id, RETRIED), { seq: 2, attempt: 1 })
  })

  /** What an earlier turn was, and whether a retry of it begins it anew. */
  const retries: { [title: string]: [Partial<NewTurn>, Partial<NewTurn>, object | null, boolean] } = {
    failed: [{}, {}, FAILED, true],
    'cut off': [{}, {}, CUT_OFF, true],
    completed: [{}, {}, {}, false],
    running: [{}, {}, null, false],
    'of another hash': [{ requestHash: 'x' }, {}, FAILED, false],
    'without a hash': [{ requestHash: null }, {}, FAILED, false],
    'with a key': [{ idempotencyKey: 'k' }, {}, FAILED, false],
    'not younger than asked for': [{ createdAt: 50 }, { retrySince: 50 }, FAILED, true],
    'older than asked for': [{ createdAt: 50 }, { retrySince: 51 }, FAILED, false],
    'met without a retry': [{}, { retrySince: null }, FAILED, false],
    'met without a hash': [{ requestHash: null }, { requestHash: null }, FAILED, false]
  }
  for (const [title, [given, asked, ending, isRetried]] of Object.entries(retries)) {
    t.test(`a turn that is ${title} is ${isRetried ? '' : 'not '}begun anew by a retry`, async (t) => {
      const store = await start(t)
      const { id } = await createConversation(store)
      const first = await begin(store, id, { requestHash: 'h', ...given })
      if (ending) await store.finishTurn(first, { ...COMPLETED, ...ending })
      const again = await begin(store, id, { ...RETRIED, ...asked })
      t.match(again, isRetried ? { ...first, attempt: 2 } : { seq: 2, attempt: 1 })
    })
  }

  t.test('of several that failed the newest is retried', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const other = await createConversation(store)
    for (const place of [id, other.id, id]) await exchange(store, place, { requestHash: 'h' }, FAILED)
    t.match(await begin(store, newId('conv'), { ...RETRIED, create: true }), { conversationId: id, seq: 2 })
    t.match(await begin(store, id, RETRIED), { conversationId: other.id, seq: 1 })
  })

  t.test('of requests with one key at once one begins, and nothing stays of the others', async (t) => {
    const store = await start(t)
    for (const create of [true, false]) {
      const { id } = await createConversation(store)
      const before = (await store.listConversations(SESSION, EVERYTHING)).data.length
      const key = { idempotencyKey: `at once ${create}`, requestHash: 'h' }
      const begun = await Promise.all(
        seqs(6).map(() => store.beginTurn(newTurn(create ? newId('conv') : id, { ...key, create })))
      )
      const winner = begun.find((result) => result?.outcome === 'begun')
      t.strictSame(begun.map((result) => result?.outcome).toSorted(), ['begun', ...Array(5).fill('known')])
      t.strictSame(new Set(begun.map((result) => result?.turn.id)), new Set([winner?.turn.id]))
      const after = (await store.listConversations(SESSION, EVERYTHING)).data
      t.equal(after.length, before + (create ? 1 : 0))
    }
  })

  t.test('of retries at once one begins the turn anew', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const first = await exchange(store, id, { ...KEYED }, FAILED)
    const begun = await Promise.all(seqs(5).map(() => store.beginTurn(newTurn(id, KEYED))))
    t.strictSame(begun.map((result) => result?.outcome).toSorted(), ['begun', ...Array(4).fill('known')])
    t.match(await allTurns(store, id), [{ id: first.id, attempt: 2, status: 'in_progress' }])
    await exchange(store, id, { requestHash: 'r' }, FAILED)
    const retried = await Promise.all(
      seqs(4).map(() => begin(store, id, { requestHash: 'r', retrySince: 0 }))
    )
    t.strictSame(retried.map(({ seq }) => seq).toSorted(), [2, 3, 4, 5], 'the others are new turns')
  })

  t.test('an exclusive turn begins only behind the newest, when nothing runs', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const first = await begin(store, id, { expectedLastSeq: 0 })
    const before = [await store.getConversation(SESSION, id), await allTurns(store, id)]
    for (const expectedLastSeq of [0, 1, 2]) {
      const turn = newTurn(id, { expectedLastSeq, title: 'x', createdAt: 1 })
      await t.rejects(store.beginTurn(turn), { name: 'StoreError', code: 'CONVERSATION_BUSY' })
    }
    t.strictSame([await store.getConversation(SESSION, id), await allTurns(store, id)], before)
    await store.finishTurn(first, COMPLETED)
    await t.rejects(store.beginTurn(newTurn(id, { expectedLastSeq: 0 })), { code: 'CONVERSATION_BUSY' })
    t.equal((await begin(store, id, { expectedLastSeq: 1 })).seq, 2)
    t.equal((await begin(store, id)).seq, 3, 'without an expectation it begins beside what runs')
    t.equal(await store.beginTurn(newTurn(newId('conv'), { expectedLastSeq: 0 })), null)
  })

  t.test('a request is not made again beside a turn that runs, when it is to be alone', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const asked = { requestHash: 'h', retrySince: 0, expectedLastSeq: 1 }
    const first = await begin(store, id, { requestHash: 'h' })
    await store.finishTurn(first, { ...FAILED })
    const other = await begin(store, id)
    const before = await allTurns(store, id)
    await t.rejects(store.beginTurn(newTurn(id, asked)), { code: 'CONVERSATION_BUSY' })
    t.strictSame(await allTurns(store, id), before)
    await store.finishTurn(other, COMPLETED)
    const again = await store.beginTurn(newTurn(id, asked))
    t.match(again, { outcome: 'begun', turn: { id: first.id, seq: 1, attempt: 2 } })
  })

  t.test('of exclusive turns at once one begins', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const expectedLastSeq of [0, 1]) {
      const results = await Promise.allSettled(
        seqs(6).map(() => store.beginTurn(newTurn(id, { expectedLastSeq })))
      )
      const refused = results.filter((result) => result.status === 'rejected')
      t.strictSame(
        refused.map(({ reason }) => reason.code),
        Array(5).fill('CONVERSATION_BUSY')
      )
      await store.recoverTurns('here')
    }
    t.strictSame(
      (await allTurns(store, id)).map(({ seq }) => seq),
      [1, 2]
    )
  })
}

export default requests
