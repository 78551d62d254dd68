import type { ContractPart } from '../contract.ts'
import { allTurns, begin, COMPLETED, createConversation, newTurn, SESSION, seqs } from './rows.ts'

const concurrency: ContractPart = (t, start) => {
  t.test('100 turns begun at once take 1 to 100 without a gap', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const begun = await Promise.all(seqs(100).map(() => begin(store, id)))
    const kept = (await allTurns(store, id)).map((turn) => ({ id: turn.id, seq: turn.seq }))
    t.strictSame(
      kept.map(({ seq }) => seq),
      seqs(100)
    )
    const given = begun.map((key) => ({ id: key.id, seq: key.seq }))
    t.strictSame(
      kept,
      given.toSorted((a, b) => a.seq - b.seq)
    )
    t.equal((await store.getConversation(SESSION, id))?.lastSeq, 100)
  })

  t.test('one write that fails among many leaves no gap and harms no other', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const results = await Promise.allSettled(
      seqs(40).map((n) => store.beginTurn(newTurn(id, { parentSeq: n % 10 === 0 ? 999 : null })))
    )
    const rejected = results.filter((result) => result.status === 'rejected')
    t.strictSame(
      rejected.map(({ reason }) => reason.code),
      Array(4).fill('PARENT_INVALID')
    )
    t.strictSame(
      (await allTurns(store, id)).map(({ seq }) => seq),
      seqs(36)
    )
  })

  t.test('begins, ends and deletes of several conversations do not disturb each other', async (t) => {
    const store = await start(t)
    const conversations = await Promise.all(seqs(8).map(() => createConversation(store)))
    const late: boolean[] = []

    /** Twelve turns side by side; in every other conversation, a delete comes in between. */
    async function use(id: string, index: number): Promise<void> {
      const turns = seqs(12).map(async (n) => {
        const begun = await store.beginTurn(newTurn(id))
        if (begun?.outcome !== 'begun') return
        if (index % 2 === 1 && n === 6) await store.deleteConversation(SESSION, id)
        const gone = (await store.getConversation(SESSION, id)) === null
        const ended = await store.finishTurn(begun.turn, COMPLETED)
        if (gone) late.push(ended)
      })
      await Promise.all(turns)
    }

    await Promise.all(conversations.map(({ id }, index) => use(id, index)))
    for (const [index, { id }] of conversations.entries()) {
      if (index % 2 === 1) {
        t.equal(await store.getConversation(SESSION, id), null)
        continue
      }
      const turns = await allTurns(store, id)
      t.strictSame(
        turns.map(({ seq, status }) => `${seq} ${status}`),
        seqs(12).map((seq) => `${seq} completed`)
      )
    }
    t.ok(late.length > 0 && late.every((ended) => !ended), 'no turn of a deleted conversation ended')
  })

  t.test('changes of different fields at once are all kept', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await Promise.all([
      store.updateConversation(SESSION, id, { title: 'New' }),
      store.updateConversation(SESSION, id, { pinned: true }),
      store.updateConversation(SESSION, id, { metadata: { a: '1' } }),
      begin(store, id)
    ])
    t.match(await store.getConversation(SESSION, id), {
      title: 'New',
      pinned: true,
      metadata: { a: '1' },
      lastSeq: 1
    })
  })
}

export default concurrency
