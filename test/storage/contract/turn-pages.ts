import type { Store, TurnPage } from '../../../storage/contract.ts'
import type { ContractPart } from '../contract.ts'
import { createConversation, exchange, SESSION, seqs } from './rows.ts'

/** Seven turns of which the last follows the third, so that 4, 5 and 6 are superseded. */
async function sevenTurns(store: Store): Promise<string> {
  const { id } = await createConversation(store)
  for (const _ of seqs(6)) await exchange(store, id)
  await exchange(store, id, { parentSeq: 3 })
  return id
}

const turnPages: ContractPart = (t, start) => {
  const whole = { includeSuperseded: true }
  const pages: { page: TurnPage; seqs: number[]; hasMore: boolean }[] = [
    { page: { limit: 10, order: 'asc' }, seqs: [1, 2, 3, 7], hasMore: false },
    { page: { limit: 10, order: 'desc' }, seqs: [7, 3, 2, 1], hasMore: false },
    { page: { limit: 10, order: 'asc', includeSuperseded: false }, seqs: [1, 2, 3, 7], hasMore: false },
    { page: { limit: 10, order: 'asc', ...whole }, seqs: [1, 2, 3, 4, 5, 6, 7], hasMore: false },
    { page: { limit: 10, order: 'desc', ...whole }, seqs: [7, 6, 5, 4, 3, 2, 1], hasMore: false },
    { page: { limit: 3, order: 'asc' }, seqs: [1, 2, 3], hasMore: true },
    { page: { limit: 4, order: 'asc' }, seqs: [1, 2, 3, 7], hasMore: false },
    { page: { limit: 6, order: 'asc', ...whole }, seqs: [1, 2, 3, 4, 5, 6], hasMore: true },
    { page: { limit: 7, order: 'asc', ...whole }, seqs: [1, 2, 3, 4, 5, 6, 7], hasMore: false },
    { page: { limit: 2, order: 'asc', afterSeq: 2 }, seqs: [3, 7], hasMore: false },
    { page: { limit: 2, order: 'asc', afterSeq: 2, ...whole }, seqs: [3, 4], hasMore: true },
    { page: { limit: 2, order: 'asc', afterSeq: 0 }, seqs: [1, 2], hasMore: true },
    { page: { limit: 2, order: 'asc', afterSeq: 7 }, seqs: [], hasMore: false },
    { page: { limit: 2, order: 'asc', afterSeq: 5 }, seqs: [7], hasMore: false },
    { page: { limit: 2, order: 'desc', afterSeq: 1 }, seqs: [7, 3], hasMore: true },
    { page: { limit: 3, order: 'desc', afterSeq: 1 }, seqs: [7, 3, 2], hasMore: false },
    { page: { limit: 2, order: 'desc', beforeSeq: 7 }, seqs: [3, 2], hasMore: true },
    { page: { limit: 2, order: 'desc', beforeSeq: 7, ...whole }, seqs: [6, 5], hasMore: true },
    { page: { limit: 2, order: 'desc', beforeSeq: 3 }, seqs: [2, 1], hasMore: false },
    { page: { limit: 2, order: 'desc', beforeSeq: 1 }, seqs: [], hasMore: false },
    { page: { limit: 2, order: 'asc', beforeSeq: 4 }, seqs: [1, 2], hasMore: true },
    { page: { limit: 3, order: 'asc', beforeSeq: 4 }, seqs: [1, 2, 3], hasMore: false },
    { page: { limit: 9, order: 'asc', afterSeq: 1, beforeSeq: 5 }, seqs: [2, 3], hasMore: false },
    {
      page: { limit: 9, order: 'desc', afterSeq: 1, beforeSeq: 5, ...whole },
      seqs: [4, 3, 2],
      hasMore: false
    },
    { page: { limit: 2, order: 'desc', afterSeq: 1, beforeSeq: 5, ...whole }, seqs: [4, 3], hasMore: true },
    { page: { limit: 9, order: 'asc', afterSeq: 3, beforeSeq: 4, ...whole }, seqs: [], hasMore: false },
    { page: { limit: 9, order: 'asc', afterSeq: 5, beforeSeq: 2, ...whole }, seqs: [], hasMore: false }
  ]

  t.test('turns are paged by seq, either way, with an exact hasMore', async (t) => {
    const store = await start(t)
    const id = await sevenTurns(store)
    for (const { page, ...expected } of pages) {
      const found = await store.listTurns(SESSION, id, page)
      const actual = { seqs: found?.data.map(({ seq }) => seq), hasMore: found?.hasMore }
      t.strictSame(actual, expected, JSON.stringify(page))
    }
  })

  t.test('a conversation without turns has an empty page', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const order of ['asc', 'desc'] as const) {
      t.strictSame(await store.listTurns(SESSION, id, { limit: 10, order }), { data: [], hasMore: false })
    }
  })

  t.test('a page holds the turns of its own conversation alone', async (t) => {
    const store = await start(t)
    const [one, other] = [await createConversation(store), await createConversation(store)]
    for (const { id } of [one, other, one, other, other]) await exchange(store, id)
    const page = await store.listTurns(SESSION, one.id, { limit: 10, order: 'asc' })
    t.strictSame(
      page?.data.map(({ conversationId, seq }) => [conversationId, seq]),
      [
        [one.id, 1],
        [one.id, 2]
      ]
    )
  })
}

export default turnPages
