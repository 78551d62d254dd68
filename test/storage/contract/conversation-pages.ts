import type { ConversationPage, Store } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import { createConversation, SESSION } from './rows.ts'

/** Seven conversations of the session, in the order of their ids, between those of another one. */
async function seven(store: Store): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < 7; index++) {
    await createConversation(store, { sessionId: 'bob' })
    ids.push((await createConversation(store)).id)
  }
  return ids
}

const conversationPages: ContractPart = (t, start) => {
  /** Pages by position: `after` and `before` are indexes into the seven, `ids` the indexes expected. */
  const pages: {
    page: Omit<ConversationPage, 'after' | 'before'>
    after?: number
    before?: number
    ids: number[]
    hasMore: boolean
  }[] = [
    { page: { limit: 3, order: 'asc' }, ids: [0, 1, 2], hasMore: true },
    { page: { limit: 3, order: 'desc' }, ids: [6, 5, 4], hasMore: true },
    { page: { limit: 6, order: 'asc' }, ids: [0, 1, 2, 3, 4, 5], hasMore: true },
    { page: { limit: 7, order: 'asc' }, ids: [0, 1, 2, 3, 4, 5, 6], hasMore: false },
    { page: { limit: 100, order: 'desc' }, ids: [6, 5, 4, 3, 2, 1, 0], hasMore: false },
    { page: { limit: 3, order: 'asc' }, after: 2, ids: [3, 4, 5], hasMore: true },
    { page: { limit: 3, order: 'asc' }, after: 3, ids: [4, 5, 6], hasMore: false },
    { page: { limit: 3, order: 'asc' }, after: 6, ids: [], hasMore: false },
    { page: { limit: 3, order: 'desc' }, after: 4, ids: [3, 2, 1], hasMore: true },
    { page: { limit: 3, order: 'desc' }, after: 3, ids: [2, 1, 0], hasMore: false },
    { page: { limit: 3, order: 'desc' }, after: 0, ids: [], hasMore: false },
    { page: { limit: 3, order: 'asc' }, before: 4, ids: [1, 2, 3], hasMore: true },
    { page: { limit: 3, order: 'asc' }, before: 3, ids: [0, 1, 2], hasMore: false },
    { page: { limit: 3, order: 'asc' }, before: 0, ids: [], hasMore: false },
    { page: { limit: 3, order: 'desc' }, before: 2, ids: [5, 4, 3], hasMore: true },
    { page: { limit: 3, order: 'desc' }, before: 3, ids: [6, 5, 4], hasMore: false },
    { page: { limit: 3, order: 'desc' }, before: 6, ids: [], hasMore: false }
  ]

  t.test('conversations are paged by id, either way, with an exact hasMore', async (t) => {
    const store = await start(t)
    const ids = await seven(store)
    for (const { page, after, before, ...expected } of pages) {
      const cursors = {
        ...(after !== undefined && { after: ids[after] }),
        ...(before !== undefined && { before: ids[before] })
      }
      const { data, hasMore } = await store.listConversations(SESSION, { ...page, ...cursors })
      const found = data.map(({ id }) => ids.indexOf(id))
      t.strictSame({ ids: found, hasMore }, expected, JSON.stringify({ ...page, after, before }))
    }
  })

  t.test('following hasMore visits every conversation once', async (t) => {
    const store = await start(t)
    const ids = await seven(store)
    for (const order of ['asc', 'desc'] as const) {
      const visited: string[] = []
      for (let more = true; more; ) {
        const page = await store.listConversations(SESSION, { limit: 2, order, after: visited.at(-1) })
        visited.push(...page.data.map(({ id }) => id))
        more = page.hasMore
      }
      t.strictSame(visited, order === 'asc' ? ids : ids.toReversed())
    }
  })

  t.test('a cursor is a place in the order: it need not exist', async (t) => {
    const store = await start(t)
    const older = newId('conv')
    const ids = await seven(store)
    const newer = newId('conv')
    const deleted = ids.splice(3, 1)[0]
    await store.deleteConversation(SESSION, deleted ?? '')
    const foreign = (await store.listConversations('bob', { limit: 1, order: 'asc' })).data[0]?.id
    const asc = { limit: 10, order: 'asc' } as const
    const cases = [
      { cursors: { after: older }, expected: ids },
      { cursors: { before: older }, expected: [] },
      { cursors: { after: newer }, expected: [] },
      { cursors: { before: newer }, expected: ids },
      { cursors: { after: deleted }, expected: ids.slice(3) },
      { cursors: { before: deleted }, expected: ids.slice(0, 3) },
      { cursors: { after: foreign }, expected: ids }
    ]
    for (const { cursors, expected } of cases) {
      const { data, hasMore } = await store.listConversations(SESSION, { ...asc, ...cursors })
      t.strictSame(
        data.map(({ id }) => id),
        expected
      )
      t.equal(hasMore, false)
    }
  })

  t.test('pinned picks the pinned, the others, or both', async (t) => {
    const store = await start(t)
    const ids = await seven(store)
    for (const index of [1, 2, 5]) await store.updateConversation(SESSION, ids[index] ?? '', { pinned: true })
    const cases = [
      { page: { limit: 10, pinned: true }, expected: [1, 2, 5], hasMore: false },
      { page: { limit: 10, pinned: false }, expected: [0, 3, 4, 6], hasMore: false },
      { page: { limit: 10, pinned: undefined }, expected: [0, 1, 2, 3, 4, 5, 6], hasMore: false },
      { page: { limit: 2, pinned: true }, expected: [1, 2], hasMore: true },
      { page: { limit: 2, pinned: true, after: ids[1] }, expected: [2, 5], hasMore: false },
      { page: { limit: 3, pinned: true, before: ids[6] }, expected: [1, 2, 5], hasMore: false }
    ]
    for (const { page, expected, hasMore } of cases) {
      const found = await store.listConversations(SESSION, { order: 'asc', ...page })
      t.strictSame(
        found.data.map(({ id }) => ids.indexOf(id)),
        expected
      )
      t.equal(found.hasMore, hasMore)
    }
  })

  t.test('conversations are ordered by id, whatever their times', async (t) => {
    const store = await start(t)
    const created: string[] = []
    for (const createdAt of [3000, 1000, 2000])
      created.push((await createConversation(store, { createdAt })).id)
    const { data } = await store.listConversations(SESSION, { limit: 3, order: 'asc' })
    t.strictSame(
      data.map(({ id }) => id),
      created
    )
  })
}

export default conversationPages
