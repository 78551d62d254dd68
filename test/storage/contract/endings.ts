import type { TurnEnding } from '../../../storage/contract.ts'
import type { ContractPart } from '../contract.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  CUT_OFF,
  createConversation,
  exchange,
  FAILED,
  oneTurn,
  SESSION
} from './rows.ts'

const errors = [
  'client_disconnect',
  'upstream_error',
  'upstream_truncated',
  'upstream_timeout',
  'answer_too_large',
  'server_shutdown'
] as const

const endings: ContractPart = (t, start) => {
  t.test('every way to end is kept', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const failed = errors.map((error): TurnEnding => ({ ...FAILED, error }))
    const cutOff = errors.map((error): TurnEnding => ({ ...CUT_OFF, error, assistantText: 'So f' }))
    for (const ending of [COMPLETED, ...failed, ...cutOff]) {
      const key = await begin(store, id)
      t.equal(await store.finishTurn(key, ending), true)
      t.match(await oneTurn(store, key), ending)
    }
  })

  t.test('a turn ends once: the second end is false and changes nothing', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const first of [COMPLETED, FAILED, CUT_OFF]) {
      const key = await begin(store, id)
      t.equal(await store.finishTurn(key, first), true)
      const ended = await oneTurn(store, key)
      for (const second of [COMPLETED, FAILED, CUT_OFF]) {
        const late = { ...second, assistantText: 'late', completionId: 'late', detail: { late: true } }
        t.equal(await store.finishTurn(key, late), false)
      }
      t.strictSame(await oneTurn(store, key), ended)
    }
  })

  t.test('of two ends at the same time one counts', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const key = await begin(store, id)
    const ends = ['one', 'other'].map((assistantText) =>
      store.finishTurn(key, { ...COMPLETED, assistantText })
    )
    const results = await Promise.all(ends)
    t.strictSame(results.toSorted(), [false, true])
    t.equal((await oneTurn(store, key))?.assistantText, results[0] ? 'one' : 'other')
  })

  t.test('an end changes its own turn alone', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const keys = [await begin(store, id), await begin(store, id), await begin(store, id)]
    const before = await allTurns(store, id)
    if (keys[1]) await store.finishTurn(keys[1], COMPLETED)
    const after = await allTurns(store, id)
    t.strictSame([after[0], after[2]], [before[0], before[2]])
    t.equal(after[1]?.status, 'completed')
  })

  t.test('a turn of a deleted conversation cannot end, and nothing comes back', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const key = await begin(store, id)
    await store.deleteConversation(SESSION, id)
    t.equal(await store.finishTurn(key, COMPLETED), false)
    t.equal(await store.getConversation(SESSION, id), null)
    t.equal(await store.listTurns(SESSION, id, { limit: 10, order: 'asc' }), null)
    await createConversation(store, { id })
    t.strictSame(await allTurns(store, id), [])
    await begin(store, id)
    t.equal(await store.finishTurn(key, COMPLETED), false, 'nor does it end another turn with the same seq')
    t.equal((await oneTurn(store, key))?.status, 'in_progress')
  })

  t.test('a turn that recovery took for lost can still end, once', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const ending of [COMPLETED, FAILED, CUT_OFF]) {
      const key = await begin(store, id)
      await store.recoverTurns('here')
      t.match(await oneTurn(store, key), { status: 'incomplete', error: 'server_lost' })
      t.equal(await store.finishTurn(key, ending), true)
      t.match(await oneTurn(store, key), ending)
      t.equal(await store.finishTurn(key, COMPLETED), false)
    }
  })

  t.test('a turn that was replaced while it ran replaces nothing itself', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchange(store, id)
    await exchange(store, id)
    const slow = await begin(store, id, { parentSeq: 1 })
    await exchange(store, id, { parentSeq: 2 })
    t.equal(await store.finishTurn(slow, COMPLETED), true)
    const kept = (await allTurns(store, id)).map(({ seq, superseded }) => [seq, superseded])
    t.strictSame(kept, [
      [1, false],
      [2, false],
      [3, true],
      [4, false]
    ])
  })

  t.test('a turn that completes after recovery replaces what it was to replace', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of [1, 2, 3]) await store.finishTurn(await begin(store, id), COMPLETED)
    const key = await begin(store, id, { parentSeq: 1 })
    await store.recoverTurns('here')
    await store.finishTurn(key, COMPLETED)
    t.strictSame(
      (await allTurns(store, id)).map(({ superseded }) => superseded),
      [false, true, true, false]
    )
  })
}

export default endings
