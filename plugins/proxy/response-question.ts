import type { JsonObject, Turn } from '../../storage/contract.ts'
import { sendableItems } from '../../storage/dialogue/call-results.ts'
import { itemHistory } from '../../storage/dialogue/history.ts'
import { countResent } from '../../storage/dialogue/resent.ts'
import { contentOf, isOutput } from '../../storage/dialogue/turn-items.ts'

export interface ResponseQuestion {
  userText: string | null
  /** The new items, exactly, where `userText` alone does not say them. */
  input: JsonObject | null
}

/** `input` of a request as a list of items. */
export function inputList(input: string | JsonObject[] | null | undefined): JsonObject[] {
  return typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? [])
}

/**
 * What of a request's `input` is new, when its client sends the history itself: the first `known` items are there
 * already, null says all up to the last answer.
 */
export function readInput(items: JsonObject[], known: number | null): ResponseQuestion {
  const live = items.slice(items.findLastIndex(isOutput) + 1)
  return toQuestion(live, known === null ? live : items.slice(known))
}

/** A question that is put behind stored turns. */
export interface ResponseContinuation extends ResponseQuestion {
  /** The items for the upstream; a number is the index of one of the request's own. */
  items: (JsonObject | number)[]
}

/** The same for a request behind the turns of `path`: what it repeats of them is not new. Null when nothing is. */
export function continueResponse(items: JsonObject[], path: Turn[]): ResponseContinuation | null {
  const history = itemHistory(path)
  const resent = countResent(history, items)
  const fresh = items.slice(resent)
  if (fresh.length === 0) return null
  const indexes = [...items.keys()].slice(resent)
  return { ...toQuestion(fresh, fresh), items: [...sendableItems(history, fresh), ...indexes] }
}

function toQuestion(live: JsonObject[], kept: JsonObject[]): ResponseQuestion {
  const { detail } = contentOf(kept, [])
  return { userText: contentOf(live, []).userText, input: detail }
}
