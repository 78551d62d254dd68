import type { Store } from '../contract.ts'

/** How often the store is asked for one request. Most need one question, and nearly all fewer than ten. */
const MAX_READS = 60

/** The store, which after so many reads has nothing more to find: the request then is a new conversation. */
export function withReadBudget(store: Store): Store {
  let left = MAX_READS
  const isSpent = (): boolean => {
    left -= 1
    return left < 0
  }
  return {
    ...store,
    findMarks: async (...given) => (isSpent() ? [] : await store.findMarks(...given)),
    listMarks: async (...given) => (isSpent() ? [] : await store.listMarks(...given)),
    listTurns: async (...given) =>
      isSpent() ? { data: [], hasMore: false } : await store.listTurns(...given)
  }
}
