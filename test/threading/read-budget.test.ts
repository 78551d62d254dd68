import t from 'tap'
import { openStore } from '../../storage/open-store.ts'
import { withReadBudget } from '../../storage/threading/read-budget.ts'
import { begin, COMPLETED, createConversation, SESSION } from '../storage/contract/rows.ts'

t.test('after so many looks the store has nothing more to find, for that request alone', async (t) => {
  const store = await openStore('sqlite::memory:', { report() {} })
  t.teardown(() => store.close())
  await store.initialize()
  const { id } = await createConversation(store)
  await store.finishTurn(await begin(store, id, {}), { ...COMPLETED, answerMark: 'mark' })
  const sought = { tips: [], asked: [], answer: 'mark' }
  const page = { limit: 9, order: 'asc' } as const
  const bounded = withReadBudget(store)
  let looks = 0
  while ((await bounded.findMarks(SESSION, sought)).length > 0) looks += 1
  t.equal(looks, 60)
  t.strictSame(await bounded.listMarks(SESSION, id, page), [])
  t.strictSame(await bounded.listTurns(SESSION, id, page), { data: [], hasMore: false })
  t.equal((await withReadBudget(store).findMarks(SESSION, sought)).length, 1)
})
