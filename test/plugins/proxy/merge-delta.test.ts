import fc from 'fast-check'
import t from 'tap'
import { mergeDelta } from '../../../plugins/proxy/merge-delta.ts'
import type { JsonObject } from '../../../storage/contract.ts'

function merged(...deltas: JsonObject[]): JsonObject {
  const target: JsonObject = {}
  for (const delta of deltas) mergeDelta(target, delta)
  return target
}

const CASES: { name: string; deltas: JsonObject[]; result: JsonObject }[] = [
  {
    name: 'strings are appended',
    deltas: [{ content: 'a' }, { content: '' }, { content: 'b' }],
    result: { content: 'ab' }
  },
  {
    name: 'null says nothing',
    deltas: [{ content: null }, { content: 'a', refusal: null }, { content: null }],
    result: { content: 'a' }
  },
  {
    name: 'a name that is repeated is kept once',
    deltas: [
      { role: 'assistant', id: 'x' },
      { role: 'assistant', id: 'x' }
    ],
    result: { role: 'assistant', id: 'x' }
  },
  {
    name: 'a field nobody knows is kept, and appended when it is text',
    deltas: [{ thinking: 'a' }, { thinking: 'b', score: 1 }, { score: 2, sure: true }],
    result: { thinking: 'ab', score: 2, sure: true }
  },
  {
    name: 'objects are merged',
    deltas: [{ audio: { id: 'a', data: 'AA' } }, { audio: { data: 'BB', expires_at: 7 } }],
    result: { audio: { id: 'a', data: 'AABB', expires_at: 7 } }
  },
  {
    name: 'list entries are merged by their index, in whatever order they come',
    deltas: [
      { tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '{' } }] },
      { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '[' } }] },
      {
        tool_calls: [
          { index: 0, function: { arguments: ']' } },
          { index: 1, function: { arguments: '}' } }
        ]
      }
    ],
    result: {
      tool_calls: [
        { index: 1, id: 'b', function: { name: 'g', arguments: '{}' } },
        { index: 0, id: 'a', function: { name: 'f', arguments: '[]' } }
      ]
    }
  },
  {
    name: 'a tool call that repeats its names is still one call',
    deltas: [
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{' } }] },
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '}' } }] }
    ],
    result: {
      tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }]
    }
  },
  {
    name: 'a new id with a name is a new call, whatever its index',
    deltas: [
      { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '}' } }] },
      { tool_calls: [{ index: 0, id: 'b', function: { name: 'g', arguments: '[' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ']' } }] }
    ],
    result: {
      tool_calls: [
        { index: 0, id: 'a', function: { name: 'f', arguments: '{}' } },
        { index: 0, id: 'b', function: { name: 'g', arguments: '[]' } }
      ]
    }
  },
  {
    name: 'text after a list of parts is a part of it',
    deltas: [{ content: [{ type: 'thinking', thinking: 'hm' }] }, { content: 'so' }],
    result: {
      content: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'text', text: 'so' }
      ]
    }
  },
  {
    name: 'list entries without an index are added',
    deltas: [{ annotations: [{ url: 'a' }] }, { annotations: [{ url: 'b' }, 'c', 4] }],
    result: { annotations: [{ url: 'a' }, { url: 'b' }, 'c', 4] }
  },
  {
    name: 'a value of another kind takes the place of the old one',
    deltas: [
      { content: 'a', x: 1, y: 'b' },
      { content: [{ type: 'text', text: 'c' }], x: 'd', y: { z: 1 } }
    ],
    result: { content: [{ type: 'text', text: 'c' }], x: 'd', y: { z: 1 } }
  },
  {
    name: 'fields named like parts of every object are plain fields',
    deltas: [{ constructor: 'a', toString: { b: 'c' } }, { constructor: 'd' }] as unknown as JsonObject[],
    result: { constructor: 'ad', toString: { b: 'c' } } as unknown as JsonObject
  }
]

for (const { name, deltas, result } of CASES) {
  t.test(name, async (t) => {
    const before = JSON.stringify(deltas)
    t.strictSame(JSON.parse(JSON.stringify(merged(...deltas))), result)
    t.equal(JSON.stringify(deltas), before, 'and the deltas stay as they were')
  })
}

t.test('a delta cannot reach the prototype of objects', async (t) => {
  const target = merged(JSON.parse('{"__proto__":{"polluted":"yes"},"a":{"__proto__":{"polluted":"yes"}}}'))
  t.strictSame(Object.keys(target), ['a'])
  t.equal(Object.getPrototypeOf(target.a), Object.prototype)
  t.notOk('polluted' in {})
})

t.test('text that comes in any pieces, in any number of calls, comes out whole', async (t) => {
  const piece = fc.record({ call: fc.nat(3), text: fc.string({ unit: 'binary' }) })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const target: JsonObject = {}
        let added = 0
        for (const { call, text } of pieces) {
          added += mergeDelta(target, { content: text, tool_calls: [{ index: call, arguments: text }] })
        }
        const textOf = (list: typeof pieces) => list.map(({ text }) => text).join('')
        const calls = (target.tool_calls ?? []) as { index: number; arguments: string }[]
        return (
          (target.content ?? '') === textOf(pieces) &&
          calls.length === new Set(pieces.map(({ call }) => call)).size &&
          calls.every((c) => c.arguments === textOf(pieces.filter(({ call }) => call === c.index))) &&
          added >= 2 * textOf(pieces).length
        )
      })
    )
  )
})

t.test('every kind of value counts towards the size, or a stream of numbers would be free', async (t) => {
  t.equal(mergeDelta({}, { a: 'four' }), 4)
  t.ok(mergeDelta({}, { a: 1, b: true }) > 0)
  t.ok(mergeDelta({}, { list: [1, 'two', true] }) > 3)
  t.ok(mergeDelta({}, { list: [{ index: 0 }] }) > 0)
})
