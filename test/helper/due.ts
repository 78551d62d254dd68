import type { Conversation, Store, Turn } from '../../storage/contract.ts'
import { DAY_MS } from '../../storage/retention/sweeper.ts'
import { addConversation } from './transfer.ts'

/** An instant of the tests, Unix ms. */
export const NOW = 1_800_000_000_000
export const DAYS = 30

/** When what is just not due was last active. */
export const CUTOFF = NOW - DAYS * DAY_MS

/** A conversation of `turns` turns that is due, unless `fields` say otherwise. */
export async function addDue(
  store: Store,
  turns = 1,
  fields: Partial<Conversation> = {},
  change: (turn: Turn) => Partial<Turn> = () => ({})
): Promise<Conversation> {
  // Pinned until it has its turns: a sweeper that runs would take it away before.
  const made = await addConversation(store, turns, change, { activeAt: CUTOFF - 1, ...fields, pinned: true })
  const due = { ...made, pinned: fields.pinned ?? false }
  await store.importConversation(due)
  return due
}

/** The clocks of the tests, which stand still unless they are set. */
export function testClocks() {
  const at = { wall: NOW, monotonic: 5_000 }
  return { at, clocks: { wall: () => at.wall, monotonic: () => at.monotonic } }
}

/** The ids of all conversations. */
export async function idsIn(store: Store): Promise<string[]> {
  return (await store.exportConversations(null, 100_000)).map(({ id }) => id)
}
