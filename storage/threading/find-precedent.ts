import type { Store } from '../contract.ts'
import { findEarlierAnswer } from './earlier-answer.ts'
import { findLastAnswer } from './last-answer.ts'
import { type Finding, type Sought, startSearch } from './search.ts'

/** Looks for the turn that a request goes on from. Most are found with one query. */
export async function findPrecedent(store: Store, sought: Sought): Promise<Finding> {
  const search = startSearch(store, sought)
  return search && ((await findLastAnswer(search)) ?? (await findEarlierAnswer(search)))
}
