import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { editedBody, editedList } from '../../../plugins/proxy/request-body.ts'

const OWN = ['store', 'metadata', 'conversation_id']

function edit(raw: Buffer, body: object, model?: string): Buffer {
  const named = 'model' in body || model === undefined
  return editedBody(raw, body, { remove: OWN, set: named ? {} : { model: JSON.stringify(model) } })
}

function forward(text: string, defaultModel?: string): string {
  return edit(Buffer.from(text), JSON.parse(text), defaultModel).toString()
}

const TABLE: [name: string, given: string, forwarded: string][] = [
  ['one of ours first', '{"store":true,"a":1}', '{"a":1}'],
  ['one of ours last', '{"a":1,"store":true}', '{"a":1}'],
  ['one of ours in the middle', '{"a":1,"store":true,"b":2}', '{"a":1,"b":2}'],
  ['nothing but ours', '{"store":true,"metadata":{"k":"}"},"conversation_id":null}', '{}'],
  ['ours twice', '{"store":true,"a":1,"store":false}', '{"a":1}'],
  ['others twice', '{"a":1,"store":true,"a":2}', '{"a":1,"a":2}'],
  ['a name in escapes', '{"a":1,"\\u0073tor\\u0065":true}', '{"a":1}'],
  [
    'ours further down are not ours',
    '{"a":{"store":1,"metadata":[{"store":2}]},"store":true}',
    '{"a":{"store":1,"metadata":[{"store":2}]}}'
  ],
  [
    'brackets, quotes and commas in text',
    '{"a":"}],\\"store\\":1,{[","metadata":{"x":"\\\\"},"b":"\\\\\\""}',
    '{"a":"}],\\"store\\":1,{[","b":"\\\\\\""}'
  ],
  [
    'a long number',
    '{"a":12345678901234567890,"store":true,"b":1.0,"c":1E400}',
    '{"a":12345678901234567890,"b":1.0,"c":1E400}'
  ],
  ['letters beyond ASCII', '{"ä":"😀","store":true,"b":"\\ud83d"}', '{"ä":"😀","b":"\\ud83d"}']
]

for (const [name, given, forwarded] of TABLE) {
  t.test(`what is not ours goes on as it was written: ${name}`, async (t) => {
    t.equal(forward(given), forwarded)
  })
}

t.test('a body with nothing of ours is not touched', async (t) => {
  for (const text of [' { "a" : 12345678901234567890 } ', '{}', '{"a":{"store":true}}', '{"model":"m"}']) {
    const raw = Buffer.from(text)
    t.equal(edit(raw, JSON.parse(text)), raw)
  }
})

t.test('what is set is added', async (t) => {
  t.equal(forward('{"a":1}', 'm"x'), '{"model":"m\\"x","a":1}')
  t.equal(forward('{}', 'm'), '{"model":"m"}')
  t.equal(forward('{"store":true}', 'm'), '{"model":"m"}')
  t.equal(forward('{"store":true,"model":"mine"}', 'm'), '{"model":"mine"}')
  const named = Buffer.from('{"model":"mine"}')
  t.equal(edit(named, { model: 'mine' }, 'm'), named)
})

t.test('what is set takes the place of every field of its name', async (t) => {
  const set = (text: string, fields: Record<string, string | Buffer>) =>
    editedBody(Buffer.from(text), JSON.parse(text), { remove: ['x'], set: fields }).toString()
  t.equal(set('{"a":1,"b":2}', { b: '[1.0]' }), '{"b":[1.0],"a":1}')
  t.equal(set('{"a":1,"b":2,"a":3}', { a: Buffer.from('"ä"') }), '{"a":"ä","b":2}')
  t.equal(set('{"x":1,"a":2}', { a: '3', b: '4' }), '{"a":3,"b":4}')
  t.equal(set('{}', { 'a"b': 'null' }), '{"a\\"b":null}')
  t.equal(set('{"a":{"b":1}}', { b: '2' }), '{"b":2,"a":{"b":1}}', 'fields further down are others')
})

const LISTS: [name: string, text: string, entries: (number | object | string)[], list: string][] = [
  ['elements to the letter', '{"l":[ 1.0 , {"a" : 1e2},"]" ]}', [0, 1, 2], '[ 1.0 , {"a" : 1e2},"]" ]'],
  ['some of them', '{"l":[1,2,3]}', [2, 0], '[3,1]'],
  [
    'values in between',
    '{"l":[{"a":12345678901234567890}]}',
    [{ b: 1 }, 0, 'c'],
    '[{"b":1},{"a":12345678901234567890},"c"]'
  ],
  ['of two lists of a name the last', '{"l":[1],"k":0,"l":[2]}', [0], '[2]'],
  ['a name in escapes', '{"\\u006c":[[1,[2]],"a,b"]}', [1, 0], '["a,b",[1,[2]]]'],
  ['nothing', '{"l":[1]}', [], '[]'],
  ['an empty list', '{"l":[ ]}', [{ a: 1 }], '[{"a":1}]'],
  ['quotes and brackets in text', '{"l":["\\"],[",{"a":"}]"}]}', [1, 0], '[{"a":"}]"},"\\"],["]'],
  ['no such list', '{"a":1}', [{ b: 2 }], '[{"b":2}]']
]
for (const [name, text, entries, list] of LISTS) {
  t.test(`a list is put together from its own elements and others: ${name}`, async (t) => {
    t.equal(editedList(Buffer.from(text), 'l', entries as Parameters<typeof editedList>[2]).toString(), list)
  })
}

t.test('a byte order mark before the body does no harm', async (t) => {
  const raw = Buffer.from('\uFEFF{"a":1,"store":true}')
  t.equal(edit(raw, { a: 1, store: true }).toString(), '{"a":1}')
})

/** A JSON string, as usual or with every letter in escapes. */
function spelled(text: string, inEscapes: boolean): string {
  if (!inEscapes) return JSON.stringify(text)
  const units = text.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'))
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`
}

const space = fc.constantFrom('', '', ' ', '\n', '\t\r\n ')
const name = fc
  .oneof(
    fc.constantFrom(...OWN, 'model', 'a', '', '"', '{', 'stor'),
    fc.string({ unit: 'grapheme', maxLength: 6 })
  )
  // V8's own JSON.parse takes "\u007b" for "\\" once it has seen an object with the latter name.
  .filter((text) => text !== '__proto__' && !text.includes('\\'))
const tricky = fc.constantFrom('},"store":1,{', '[\\"', ']:', '\\\\"', '\\')
const word = fc.tuple(fc.oneof(name, tricky), fc.boolean()).map((args) => spelled(...args))
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.constantFrom('null', 'true', '0', '-1.50', '12345678901234567890', '1E400', '0.10000000000000000001'),
    fc.array(tie('value'), { maxLength: 3 }).map((list) => `[${list.join(' ,')}]`),
    object(tie('value')).map(({ text }) => text)
  )
}))

/** An object as text, and its members. */
function object(values: fc.Arbitrary<string>) {
  const member = fc
    .tuple(name, fc.boolean(), space, values, space)
    .map(([name, escapes, blank, value, end]) => ({
      name,
      text: `${spelled(name, escapes)}${blank}:${blank}${value}${end}`
    }))
  return fc.tuple(fc.array(member, { maxLength: 6 }), space).map(([members, blank]) => ({
    members,
    text: `${blank}{${members.map(({ text }) => blank + text).join(',') || blank}}${blank}`
  }))
}

t.test('of any object, all but ours goes on to the letter', async (t) => {
  let changed = 0
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(object(value), fc.constantFrom(undefined, 'm'), ({ text, members }, defaultModel) => {
        const has = (...names: string[]) => members.some((member) => names.includes(member.name))
        const added = defaultModel !== undefined && !has('model') ? ['"model":"m"'] : []
        const kept = members.filter((member) => !OWN.includes(member.name)).map((member) => member.text)
        const touched = added.length > 0 || has(...OWN)
        if (touched) changed += 1
        return forward(text, defaultModel) === (touched ? `{${[...added, ...kept].join(',')}}` : text)
      }),
      { numRuns: 2_000 }
    )
  )
  t.ok(changed > 1_000, 'most of them had something to change')
})

t.test('of any object, what goes on means the same', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(object(value), ({ text }) => {
        const expected = JSON.parse(text)
        for (const own of OWN) delete expected[own]
        return isDeepStrictEqual(JSON.parse(forward(text)), expected)
      })
    )
  )
})
