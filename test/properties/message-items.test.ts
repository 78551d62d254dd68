import { deepStrictEqual, notEqual } from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import type { JsonObject } from '../../storage/contract.ts'
import { FIRST_OUTPUT, itemId, itemPlace } from '../../storage/dialogue/item-id.ts'
import { messagesOfItems } from '../../storage/dialogue/item-messages.ts'
import { itemsOfMessage } from '../../storage/dialogue/message-items.ts'
import { saySame } from '../../storage/dialogue/resent.ts'
import { newId } from '../../storage/ids.ts'
import { meaning, message } from '../helper/dialogue-model.ts'
import { holds } from '../helper/property.ts'

/** An answer without words, refusal or call is none, in either form. */
function saysNothing({ role, content, refusal, tool_calls: calls }: JsonObject): boolean {
  return role === 'assistant' && (content === null || content === '') && !refusal && !calls
}

t.test('a message that became items and a message again says the same', async (t) => {
  const property = fc.property(message, (given) => {
    const back = messagesOfItems(itemsOfMessage(given))
    deepStrictEqual(back.map(meaning), saysNothing(given) ? [] : [meaning(given)])
  })
  await holds(t, property, 2_000)
})

t.test('a message that became items and a message again is recognised when it is sent again', async (t) => {
  const property = fc.property(message, (given) => saySame([given], messagesOfItems(itemsOfMessage(given))))
  await holds(t, property, 2_000)
})

t.test("an item's id names its place, and no other item's", async (t) => {
  const place = fc.record(
    {
      turnId: fc.uuid({ version: 7 }).map((uuid) => `turn_${uuid.replaceAll('-', '')}`),
      seq: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 0x7fffffff })),
      position: fc.oneof(fc.nat(3), fc.integer({ min: FIRST_OUTPUT, max: FIRST_OUTPUT + 3 }), fc.nat(0xffff))
    },
    { noNullPrototype: true }
  )
  const type = fc.constantFrom('message', 'function_call', 'function_call_output', 'reasoning', 'mcp_call')
  const idOf = ({ turnId, seq, position }: { turnId: string; seq: number; position: number }, of: string) =>
    itemId({ id: turnId, seq }, position, { type: of })
  const property = fc.property(place, place, type, (some, other, of) => {
    deepStrictEqual(itemPlace(idOf(some, of)), some)
    if (!isDeepStrictEqual(some, other)) notEqual(idOf(some, of), idOf(other, of))
  })
  await holds(t, property, 2_000)
})

t.test('what is no item id names no place', async (t) => {
  const turnId = newId('turn')
  const id = itemId({ id: turnId, seq: 7 }, 1, {})
  const broken = fc
    .tuple(fc.nat(id.length - 1), fc.constantFrom('', 'G', '-', '0x', '\0', ' '))
    .map(([at, put]) => id.slice(0, at) + put + id.slice(at + 1))
    // Without a letter, the prefix is another one.
    .filter((other) => !/^(?:msg|fc|fco|rs|ctc|ctco|item)_[0-9a-f]{46}$/.test(other))
  t.same(itemPlace(id), { turnId, seq: 7, position: 1 })
  await holds(
    t,
    fc.property(broken, (other) => itemPlace(other) === null),
    1_000
  )
})
