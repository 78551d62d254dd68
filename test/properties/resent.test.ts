import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { JsonObject } from '../../storage/contract.ts'
import { itemsOfMessage } from '../../storage/dialogue/message-items.ts'
import { countResent } from '../../storage/dialogue/resent.ts'
import { answered, asked, message, spoken, toolResult } from '../helper/dialogue-model.ts'
import { holds } from '../helper/property.ts'

const fresh = fc
  .array(fc.oneof(asked, toolResult), { maxLength: 4 })
  .map((messages) => messages.map((one) => structuredClone(one)))
const saidSomething = answered.filter(
  ({ content, tool_calls: calls }) =>
    (typeof content === 'string' && content.trim() !== '') || calls !== undefined
)

/** A history and how much of its end is sent again: at least one answer. */
const resent = fc
  .tuple(fc.array(message, { maxLength: 6 }), fc.array(message, { maxLength: 4 }), saidSomething, fresh)
  .map(([before, behind, answer, end]) => {
    const tail = [...behind, structuredClone(answer), ...end]
    return { history: [...before, ...tail], tail }
  })

/** The same message as another client would write it down. */
function rewritten(given: JsonObject): JsonObject {
  const { reasoning_content: _, ...rest } = given
  const { content } = given
  if (content === null) return { ...rest, content: '' }
  if (typeof content !== 'string' || content.trim() === '') return rest
  const half = content.length >> 1
  const texts = [` ${content.slice(0, half)}`, `${content.slice(half)}\n`]
  return { ...rest, content: texts.map((text) => ({ type: 'text', text })) }
}

t.test('the end of a history is recognised when it is sent again, and nothing that follows is', async (t) => {
  const property = fc.property(resent, fresh, fc.boolean(), ({ history, tail }, added, rewrite) => {
    const sent = rewrite ? tail.map(rewritten) : tail
    deepStrictEqual(countResent(history, [...sent, ...added]), tail.length)
  })
  await holds(t, property, 5_000)
})

t.test('what only people and tools say is never taken for sent again', async (t) => {
  const property = fc.property(resent, fresh, ({ history }, added) => countResent(history, added) === 0)
  await holds(t, property, 3_000)
})

/** Items that answer an answer's item without being messages or results of function calls. */
const answering: fc.Arbitrary<JsonObject> = fc.oneof(
  spoken.map((output) => ({ type: 'computer_call_output', call_id: 'call_1', output })),
  spoken.map((output) => ({ type: 'local_shell_call_output', id: 'sh_1', output })),
  fc.boolean().map((approve) => ({ type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve }))
)

t.test('the same holds for items, whatever kind of item is new', async (t) => {
  const newItems = fc.oneof(
    fresh.map((messages) => messages.flatMap(itemsOfMessage)),
    fc.array(answering, { minLength: 1, maxLength: 2 })
  )
  const property = fc.property(resent, newItems, ({ history, tail }, added) => {
    const sent = tail.flatMap(itemsOfMessage)
    deepStrictEqual(countResent(history.flatMap(itemsOfMessage), [...sent, ...added]), sent.length)
  })
  await holds(t, property, 5_000)
})
