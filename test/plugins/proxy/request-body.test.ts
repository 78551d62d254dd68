import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { upstreamBody } from '../../../plugins/proxy/request-body.ts'

const OWN = ['store', 'metadata', 'conversation_id']

function forward(text: string, defaultModel?: string): string {
  return upstreamBody(Buffer.from(text), JSON.parse(text), defaultModel).toString()
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
    t.equal(upstreamBody(raw, JSON.parse(text), undefined), raw)
  }
})

t.test('a model is added where none is named, and only there', async (t) => {
  t.equal(forward('{"a":1}', 'm"x'), '{"model":"m\\"x","a":1}')
  t.equal(forward('{}', 'm'), '{"model":"m"}')
  t.equal(forward('{"store":true}', 'm'), '{"model":"m"}')
  t.equal(forward('{"store":true,"model":"mine"}', 'm'), '{"model":"mine"}')
  const named = Buffer.from('{"model":"mine"}')
  t.equal(upstreamBody(named, { model: 'mine' }, 'm'), named)
})

t.test('a byte order mark before the body does no harm', async (t) => {
  const raw = Buffer.from('\uFEFF{"a":1,"store":true}')
  t.equal(upstreamBody(raw, { a: 1, store: true }, undefined).toString(), '{"a":1}')
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
