import type { Store } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import {
  allTurns,
  begin,
  CUT_OFF,
  createConversation,
  exchange,
  FAILED,
  newTurn,
  oneTurn,
  SESSION,
  seqs
} from './rows.ts'

async function supersededSeqs(store: Store, id: string): Promise<number[]> {
  return (await allTurns(store, id)).filter((turn) => turn.superseded).map(({ seq }) => seq)
}

const parents: ContractPart = (t, start) => {
  t.test('a turn follows the newest turn, or the one that it names', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const [parentSeq, expected] of [
      [null, 0],
      [null, 1],
      [2, 2],
      [1, 1],
      [0, 0],
      [null, 5]
    ] as const) {
      const key = await begin(store, id, { parentSeq })
      t.equal(key.parentSeq, expected)
      t.equal((await oneTurn(store, key))?.parentSeq, expected)
    }
  })

  t.test('a parent that does not exist is PARENT_INVALID, and uses up no seq', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of seqs(2)) await exchange(store, id)
    const before = [await store.getConversation(SESSION, id), await allTurns(store, id)]
    for (const parentSeq of [3, 4, 99, 2_147_483_647, -1]) {
      const turn = newTurn(id, { parentSeq, title: 'New', model: 'new', createdAt: 1 })
      await t.rejects(store.beginTurn(turn), { name: 'StoreError', code: 'PARENT_INVALID' })
    }
    t.strictSame([await store.getConversation(SESSION, id), await allTurns(store, id)], before)
    t.equal((await begin(store, id)).seq, 3)
  })

  t.test('a superseded turn can be followed, and changes nothing until the new one completes', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of seqs(3)) await exchange(store, id)
    await exchange(store, id, { parentSeq: 1 })
    for (const [index, parentSeq] of [2, 3, 0, 1, 4].entries()) {
      t.match(await begin(store, id, { parentSeq }), { seq: 5 + index, parentSeq })
    }
    t.strictSame(await supersededSeqs(store, id), [2, 3])
  })

  t.test('a turn of another conversation is no parent', async (t) => {
    const store = await start(t)
    const [one, other] = [await createConversation(store), await createConversation(store)]
    for (const _ of seqs(3)) await exchange(store, other.id)
    await t.rejects(store.beginTurn(newTurn(one.id, { parentSeq: 3 })), { code: 'PARENT_INVALID' })
  })

  t.test('a new conversation is not made when the parent of its turn is invalid', async (t) => {
    const store = await start(t)
    const id = newId('conv')
    const turn = newTurn(id, { create: true, parentSeq: 1 })
    await t.rejects(store.beginTurn(turn), { code: 'PARENT_INVALID' })
    t.equal(await store.getConversation(SESSION, id), null)
    t.match(await store.beginTurn({ ...turn, parentSeq: 0 }), { turn: { seq: 1, parentSeq: 0 } })
  })

  t.test('a turn that follows an older one replaces those in between when it completes', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of seqs(4)) await exchange(store, id)
    const key = await begin(store, id, { parentSeq: 2 })
    t.strictSame(await supersededSeqs(store, id), [], 'not when it begins')
    const before = await allTurns(store, id)
    await store.finishTurn(key, { ...FAILED, status: 'completed', error: null })
    t.strictSame(await supersededSeqs(store, id), [3, 4])
    const after = await allTurns(store, id)
    for (const seq of [3, 4]) t.strictSame(after[seq - 1], { ...before[seq - 1], superseded: true })
    await exchange(store, id)
    t.strictSame(await supersededSeqs(store, id), [3, 4], 'the next turn replaces nothing')
    await exchange(store, id, { parentSeq: 0 })
    t.strictSame(await supersededSeqs(store, id), [1, 2, 3, 4, 5, 6])
  })

  t.test('a failed attempt replaces nothing', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of seqs(3)) await exchange(store, id)
    for (const ending of [FAILED, CUT_OFF]) await exchange(store, id, { parentSeq: 1 }, ending)
    await begin(store, id, { parentSeq: 1, owner: 'elsewhere' })
    await store.recoverTurns('elsewhere')
    t.strictSame(await supersededSeqs(store, id), [])
    await exchange(store, id, { parentSeq: 1 })
    t.strictSame(await supersededSeqs(store, id), [2, 3, 4, 5, 6])
  })

  t.test('of two attempts at once, a late end of the older one does not replace the newer', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of seqs(2)) await exchange(store, id)
    const older = await begin(store, id, { parentSeq: 1 })
    const newer = await begin(store, id, { parentSeq: 1 })
    for (const key of [newer, older])
      t.equal(await store.finishTurn(key, { ...FAILED, status: 'completed' }), true)
    t.strictSame(await supersededSeqs(store, id), [2, 3])
  })

  t.test('turns of other conversations are not replaced', async (t) => {
    const store = await start(t)
    const [one, other] = [await createConversation(store), await createConversation(store)]
    for (const { id } of [one, other]) for (const _ of seqs(3)) await exchange(store, id)
    await exchange(store, one.id, { parentSeq: 0 })
    t.strictSame(await supersededSeqs(store, other.id), [])
  })
}

export default parents
