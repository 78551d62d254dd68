import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { JsonObject } from '../../storage/contract.ts'
import { sendableItems, sendableMessages } from '../../storage/dialogue/call-results.ts'
import { itemsOfMessage } from '../../storage/dialogue/message-items.ts'
import { answered, asked, toolResult } from '../helper/dialogue-model.ts'
import { holds } from '../helper/property.ts'

/** Calls whose results came, did not come, came twice, came late, or came to nothing. */
const dialogue = fc
  .array(fc.oneof(asked, answered, answered, toolResult, toolResult), { maxLength: 8 })
  .map((messages) => structuredClone(messages))
const SYNTHETIC = /^No result: /

/** A call or a result, without its form; null for all else. */
interface Mark {
  kind: 'call' | 'result'
  id: unknown
  synthetic: boolean
}

function marksOfMessage({ role, tool_calls: calls, tool_call_id: id, content }: JsonObject): Mark[] {
  if (role === 'tool') return [{ kind: 'result', id, synthetic: SYNTHETIC.test(String(content)) }]
  return ((calls ?? []) as JsonObject[]).map((call) => ({ kind: 'call', id: call.id, synthetic: false }))
}

function marksOfItem({ type, call_id: id, output }: JsonObject): Mark[] {
  if (String(type).endsWith('_output'))
    return [{ kind: 'result', id, synthetic: SYNTHETIC.test(String(output)) }]
  return type === 'function_call' || type === 'custom_tool_call'
    ? [{ kind: 'call', id, synthetic: false }]
    : []
}

/** Throws unless every call has its one result before anything else is said, and no result is without its call. */
function assertAnswered(entries: JsonObject[], marksOf: (entry: JsonObject) => Mark[]): void {
  const open: unknown[] = []
  for (const entry of entries) {
    const marks = marksOf(entry)
    if (marks.length === 0) deepStrictEqual(speaksForUser(entry) ? open : [], [], 'said before the results')
    for (const { kind, id } of marks) {
      if (kind === 'call') open.push(id)
      else if (open.includes(id)) open.splice(open.indexOf(id), 1)
      else throw new Error(`a result of ${id} without its call`)
    }
  }
  deepStrictEqual(open, [], 'calls without a result')
}

/** Items of one answer may stand between a call and its result; what a user says may not. */
function speaksForUser({ type = 'message', role }: JsonObject): boolean {
  return type === 'message' && role !== 'assistant'
}

/** The result of a call may be left out of a history only where the call is not in it. */
function assertOnlyRepaired(
  before: JsonObject[],
  after: JsonObject[],
  marksOf: (entry: JsonObject) => Mark[]
): void {
  const kept = after.filter((entry) => !marksOf(entry).some(({ synthetic }) => synthetic))
  const isKept = new Set(kept)
  deepStrictEqual(
    kept,
    before.filter((entry) => isKept.has(entry)),
    'nothing changed and nothing moved'
  )
  const gone = before.filter((entry) => !isKept.has(entry))
  deepStrictEqual(
    gone.flatMap(marksOf).map(({ kind }) => kind),
    gone.map(() => 'result'),
    'nothing but results is gone'
  )
}

const PROTOCOLS = [
  { name: 'messages', of: (given: JsonObject[]) => given, repair: sendableMessages, marksOf: marksOfMessage },
  {
    name: 'items',
    of: (given: JsonObject[]) => given.flatMap(itemsOfMessage),
    repair: sendableItems,
    marksOf: marksOfItem
  }
]

for (const { name, of, repair, marksOf } of PROTOCOLS) {
  t.test(`in a repaired history of ${name} each call has exactly one result`, async (t) => {
    const property = fc.property(dialogue, (messages) => {
      const fixed = repair(of(messages), [])
      assertAnswered(fixed, marksOf)
    })
    await holds(t, property, 3_000)
  })

  t.test(`repairing a history of ${name} changes nothing else, and nothing the second time`, async (t) => {
    const property = fc.property(dialogue, (messages) => {
      const given = of(messages)
      const fixed = repair(given, [])
      assertOnlyRepaired(given, fixed, marksOf)
      deepStrictEqual(repair(fixed, []), fixed)
    })
    await holds(t, property, 3_000)
  })

  t.test(`a history of ${name} waits for no result that the next request brings`, async (t) => {
    const property = fc.property(dialogue, fc.nat(8), (messages, cut) => {
      const whole = repair(of(messages), [])
      const next = whole.slice(cut)
      deepStrictEqual([...repair(whole.slice(0, cut), next), ...next], whole)
    })
    await holds(t, property, 3_000)
  })
}
