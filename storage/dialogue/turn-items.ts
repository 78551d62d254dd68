import type { Json, JsonObject, Turn, TurnContent } from '../contract.ts'
import { isObject, textOf } from '../json-value.ts'
import { isStorable } from '../storable-text.ts'
import { FIRST_OUTPUT, itemId } from './item-id.ts'
import { inputItems, outputItems } from './turn-content.ts'

/** An item of a turn and where it stands. */
export interface PlacedItem {
  id: string
  position: number
  item: JsonObject
  /** As OpenAI has it for items. */
  status: 'completed' | 'incomplete'
}

/** A conversation's items are those of the turns that count: not replaced, and not failed. */
export function hasItems(turn: Turn): boolean {
  return !turn.superseded && turn.status !== 'failed'
}

/** The items of a turn in their order. */
export function itemsOfTurn(turn: Turn): PlacedItem[] {
  const place = (first: number, status: PlacedItem['status']) => (item: JsonObject | null, index: number) => {
    const position = first + index
    return item === null ? [] : [{ id: itemId(turn, position, item), position, item, status }]
  }
  const ended = turn.status === 'incomplete' ? 'incomplete' : 'completed'
  return [
    ...inputItems(turn).flatMap(place(0, 'completed')),
    ...outputItems(turn).flatMap(place(FIRST_OUTPUT, ended))
  ]
}

/**
 * What is left of a turn without the item at `position`: its other items, and no completion or response any more;
 * null when none is left.
 */
export function withoutItem(turn: Turn, position: number): TurnContent | null {
  const drop = (items: (JsonObject | null)[], first: number) =>
    items.map((item, index) => (first + index === position ? null : item))
  const input = drop(inputItems(turn), 0)
  const output = drop(outputItems(turn), FIRST_OUTPUT)
  if (![...input, ...output].some((item) => item !== null)) return null
  return { ...contentOf(input, output), kind: 'items', metadata: turn.metadata }
}

/** Texts and detail of a turn that is made of items. */
export function contentOf(input: (JsonObject | null)[], output: (JsonObject | null)[]) {
  const userText = joined(input.filter((item) => item?.role === 'user'))
  const assistantText = joined(output.filter((item) => item?.role === 'assistant'))
  const detail = {
    ...(!isPlain(input, 'user', userText) && { input: input as Json[] }),
    ...(!isPlain(output, 'assistant', assistantText) && { output: output as Json[] })
  }
  return { userText, assistantText, detail: Object.keys(detail).length > 0 ? detail : null }
}

function joined(items: (JsonObject | null)[]): string | null {
  const texts = items.flatMap((item) => textOf(item?.content, '') ?? [])
  return texts.length > 0 ? texts.join('\n\n') : null
}

/** Whether items are nothing but the text that a turn's own columns hold. */
function isPlain(items: (JsonObject | null)[], role: string, text: string | null): boolean {
  if (items.length === 0) return true
  const [only] = items
  if (items.length > 1 || !isObject(only)) return false
  const { type = 'message', ...rest } = only
  const bare = Object.keys(rest).length === 2 && rest.role === role && rest.content === text
  return type === 'message' && bare && text !== null && isStorable(text)
}

/** What an assistant says or does; all else is said to it. */
export function isOutput(item: JsonObject): boolean {
  const type = String(item.type ?? 'message')
  if (type === 'message') return item.role === 'assistant'
  return !type.endsWith('_output') && !type.endsWith('_response')
}

/** Items as the turns that they are: each is what was said, and what the assistant made of it. */
export function turnsOfItems(items: JsonObject[]) {
  const groups: { input: JsonObject[]; output: JsonObject[] }[] = []
  for (const item of items) {
    const last = groups.at(-1)
    if (last && isOutput(item)) last.output.push(item)
    else if (last && last.output.length === 0) last.input.push(item)
    else groups.push(isOutput(item) ? { input: [], output: [item] } : { input: [item], output: [] })
  }
  return groups.map(({ input, output }) => contentOf(input, output))
}
