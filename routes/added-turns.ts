import type { AddedTurn, JsonObject } from '../storage/contract.ts'
import { turnsOfItems } from '../storage/dialogue/turn-items.ts'
import { newId } from '../storage/ids.ts'

/** Items that a client adds, as the turns that hold them. */
export function toAddedTurns(items: JsonObject[]): AddedTurn[] {
  const createdAt = Date.now()
  return turnsOfItems(items).map((content) => ({ ...content, id: newId('turn'), createdAt }))
}
