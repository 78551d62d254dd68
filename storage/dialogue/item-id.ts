import type { JsonObject, Turn } from '../contract.ts'

/** Where an item stands: in which turn, and at which place of it. */
export interface ItemPlace {
  turnId: string
  seq: number
  /** Counted from 0 for what was asked, and from `FIRST_OUTPUT` for what was answered. */
  position: number
}

/** Answers count from here, so that they never push the places of what was asked. */
export const FIRST_OUTPUT = 0x800000

const PREFIXES = new Map([
  ['message', 'msg'],
  ['function_call', 'fc'],
  ['function_call_output', 'fco'],
  ['reasoning', 'rs'],
  ['custom_tool_call', 'ctc'],
  ['custom_tool_call_output', 'ctco']
])
const ID = /^(?:msg|fc|fco|rs|ctc|ctco|item)_([0-9a-f]{32})([0-9a-f]{8})([0-9a-f]{6})$/

/** The id of an item of a turn: always the same, and unlike that of any other item. */
export function itemId(turn: Pick<Turn, 'id' | 'seq'>, position: number, item: JsonObject): string {
  const prefix = PREFIXES.get(String(item.type ?? 'message')) ?? 'item'
  return `${prefix}_${turn.id.slice('turn_'.length)}${hex(turn.seq, 8)}${hex(position, 6)}`
}

/** The place that an id names, or null when it is no item's. */
export function itemPlace(id: string): ItemPlace | null {
  const [, turn, seq, position] = ID.exec(id) ?? []
  if (turn === undefined || seq === undefined || position === undefined) return null
  const number = Number.parseInt(seq, 16)
  if (number > 0x7fffffff) return null
  return { turnId: `turn_${turn}`, seq: number, position: Number.parseInt(position, 16) }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
