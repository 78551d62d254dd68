import t from 'tap'
import type { JsonObject } from '../../../storage/contract.ts'
import { FIRST_OUTPUT } from '../../../storage/dialogue/item-id.ts'
import {
  contentOf,
  hasItems,
  itemsOfTurn,
  turnsOfItems,
  withoutItem
} from '../../../storage/dialogue/turn-items.ts'
import { turnWith } from '../../helper/turn.ts'

const user = (content: string) => ({ role: 'user', content })
const answer = (content: string) => ({ role: 'assistant', content })
const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
const result = { type: 'function_call_output', call_id: 'c', output: 'r' }

t.test('turns that failed or were replaced have no items', async (t) => {
  for (const status of ['in_progress', 'completed', 'incomplete'] as const)
    t.ok(hasItems(turnWith({ status })), status)
  t.notOk(hasItems(turnWith({ status: 'failed' })))
  t.notOk(hasItems(turnWith({ superseded: true })))
})

t.test('answers have places of their own, and what is incomplete says so', async (t) => {
  const turn = turnWith({
    kind: 'items',
    status: 'incomplete',
    detail: { input: [user('a'), null, user('b')], output: [call] }
  })
  t.strictSame(
    itemsOfTurn(turn).map(({ position, status }) => [position, status]),
    [
      [0, 'completed'],
      [2, 'completed'],
      [FIRST_OUTPUT, 'incomplete']
    ]
  )
  t.equal(new Set(itemsOfTurn(turn).map(({ id }) => id)).size, 3)
})

t.test('without an item the others keep their places, until none is left', async (t) => {
  const turn = turnWith({ userText: 'q', assistantText: 'a', metadata: { k: 'v' } })
  const left = withoutItem(turn, 0)
  t.match(left, { kind: 'items', metadata: { k: 'v' }, userText: null, assistantText: 'a' })
  const [only] = itemsOfTurn({ ...turn, ...left })
  t.strictSame([only?.id, only?.position], [itemsOfTurn(turn)[1]?.id, FIRST_OUTPUT])
  t.equal(withoutItem({ ...turn, ...left }, FIRST_OUTPUT), null)
  const [a, c] = itemsOfTurn(
    turnWith({
      kind: 'items',
      ...withoutItem(turnWith({ kind: 'items', detail: { input: [user('a'), user('b'), user('c')] } }), 1)
    })
  )
  t.strictSame([a?.position, c?.position], [0, 2])
  t.strictSame(withoutItem(turn, 7)?.assistantText, 'a', 'a place that nothing stands at')
})

t.test('texts are what people read, and only what they cannot say is in the detail', async (t) => {
  const cases: [input: (JsonObject | null)[], output: (JsonObject | null)[], content: object][] = [
    [[], [], { userText: null, assistantText: null, detail: null }],
    [[user('q')], [answer('a')], { userText: 'q', assistantText: 'a', detail: null }],
    [[{ type: 'message', ...user('q') }], [], { userText: 'q', assistantText: null, detail: null }],
    [
      [user('q'), user('r')],
      [],
      { userText: 'q\n\nr', assistantText: null, detail: { input: [user('q'), user('r')] } }
    ],
    [
      [{ ...user('q'), name: 'n' }],
      [],
      { userText: 'q', assistantText: null, detail: { input: [{ ...user('q'), name: 'n' }] } }
    ],
    [
      [{ role: 'system', content: 's' }],
      [],
      { userText: null, assistantText: null, detail: { input: [{ role: 'system', content: 's' }] } }
    ],
    [[user('a\0')], [], { userText: 'a\0', assistantText: null, detail: { input: [user('a\0')] } }],
    [[], [call], { userText: null, assistantText: null, detail: { output: [call] } }],
    [
      [null, user('q')],
      [null],
      { userText: 'q', assistantText: null, detail: { input: [null, user('q')], output: [null] } }
    ]
  ]
  for (const [input, output, content] of cases) t.strictSame(contentOf(input, output), content)
})

t.test('items are the turns that they read as', async (t) => {
  const cases: [items: JsonObject[], turns: [userText: string | null, assistantText: string | null][]][] = [
    [[], []],
    [[user('a')], [['a', null]]],
    [
      [user('a'), answer('b'), user('c'), answer('d')],
      [
        ['a', 'b'],
        ['c', 'd']
      ]
    ],
    [
      [answer('a'), user('b')],
      [
        [null, 'a'],
        ['b', null]
      ]
    ],
    [[user('a'), user('b'), answer('c'), answer('d')], [['a\n\nb', 'c\n\nd']]],
    [
      [user('a'), call, result, answer('b')],
      [
        ['a', null],
        [null, 'b']
      ]
    ]
  ]
  for (const [items, turns] of cases) {
    const made = turnsOfItems(items)
    t.strictSame(
      made.map(({ userText, assistantText }) => [userText, assistantText]),
      turns
    )
    const again = made
      .flatMap((content) => itemsOfTurn(turnWith({ ...content, kind: 'items' })))
      .map(({ item }) => item)
    t.strictSame(again, items, 'and nothing is lost')
  }
})
