import { deepStrictEqual, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { editedBody, editedList } from '../../plugins/proxy/request-body.ts'
import type { Json } from '../../storage/contract.ts'
import { holds } from '../helper/property.ts'

const space = fc.constantFrom('', '', ' ', '\n\t', '\r\n  ')

/** A string of JSON, some of its characters escaped where they need not be. */
const spell = (text: string, escaped: boolean) =>
  escaped
    ? `"${[...text].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(text)
const stringText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\\\"', '"\\""', '"a\\\\\\"]}"', '"{[,:"', '"\\ud83d\\ude00"', '"日本"')
)
const numberText = fc.constantFrom(
  '0',
  '-0',
  '12345678901234567890123',
  '1.10',
  '1e5',
  '0.1000000000000000055'
)

/** The text of any JSON value, with white space wherever it may stand. */
const { value: valueText } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(stringText, numberText, fc.constantFrom('null', 'true')),
    tie('list'),
    tie('object')
  ),
  list: fc.tuple(fc.array(tie('value'), { maxLength: 3 }), space).map(([all, gap]) => listText(all, gap)),
  object: fc
    .tuple(fc.array(fc.tuple(stringText, tie('value')), { maxLength: 3 }), space)
    .map(
      ([all, gap]) =>
        `{${gap}${all.map(([name, value]) => `${name}${gap}:${gap}${value}`).join(`${gap},`)}${gap}}`
    )
}))

const listText = (elements: string[], gap: string) => `[${gap}${elements.join(`${gap},${gap}`)}${gap}]`

interface Member {
  name: string
  /** Its text from the name to the end of the value. */
  text: string
}

/** The members of a body: of few names, so that some repeat. */
const members: fc.Arbitrary<Member[]> = fc.array(
  fc
    .tuple(fc.constantFrom('model', 'store', 'metadata', 'x', 'ünï'), fc.boolean(), space, space, valueText)
    .map(([name, escaped, before, after, value]) => ({
      name,
      text: `${spell(name, escaped)}${before}:${after}${value}`
    })),
  { maxLength: 6 }
)
const bodyOf = (all: Member[], gap: string) =>
  `${gap}{${gap}${all.map(({ text }) => text).join(`${gap},${gap}`)}${gap}}${gap}`
const names = fc.uniqueArray(fc.constantFrom('model', 'store', 'metadata', 'absent'))

/** Throws unless `text` holds all of `pieces`, in this order. */
function assertHolds(text: string, pieces: string[]): void {
  let at = 0
  for (const piece of pieces) {
    const found = text.indexOf(piece, at)
    ok(found >= 0, `${JSON.stringify(piece)} is missing in ${text}`)
    at = found + piece.length
  }
}

t.test('a body is edited by name, and every other member keeps its bytes', async (t) => {
  const set = fc.dictionary(fc.constantFrom('model', 'store', 'new'), valueText, { noNullPrototype: true })
  const property = fc.property(members, space, names, set, (all, gap, remove, added) => {
    const raw = Buffer.from(bodyOf(all, gap))
    const body = JSON.parse(raw.toString()) as Record<string, Json>
    const gone = new Set([...remove, ...Object.keys(added)])
    const kept = all.filter(({ name }) => !gone.has(name))

    const edited = editedBody(raw, body, { remove, set: added }).toString()
    const expected = { ...body }
    for (const name of gone) delete expected[name]
    for (const [name, text] of Object.entries(added)) expected[name] = JSON.parse(text)
    deepStrictEqual(JSON.parse(edited), expected)
    assertHolds(
      edited,
      kept.map(({ text }) => text)
    )
    if (gone.size === 0) deepStrictEqual(edited, raw.toString())
  })
  await holds(t, property, 3_000)
})

t.test('a list is put together from elements of the body, byte for byte, and from values', async (t) => {
  const elements = fc.array(valueText, { maxLength: 4 })
  const picks = fc.array(fc.oneof(fc.nat(3), fc.constant({ role: 'user', content: '"]' }), fc.constant('s')))
  const property = fc.property(members, elements, elements, space, picks, (all, old, list, gap, entries) => {
    const member = (texts: string[], escaped: boolean) => ({
      name: 'input',
      text: `${spell('input', escaped)}:${gap}${listText(texts, gap)}`
    })
    // Of two lists with this name the last one counts, for JSON and so for us.
    const raw = Buffer.from(bodyOf([member(old, false), ...all, member(list, true)], gap))
    const given = entries.filter((entry) => typeof entry !== 'number' || entry < list.length)

    const edited = editedList(raw, 'input', given).toString()
    const texts = given.map((entry) =>
      typeof entry === 'number' ? (list[entry] ?? '') : JSON.stringify(entry)
    )
    deepStrictEqual(
      JSON.parse(edited),
      texts.map((text) => JSON.parse(text))
    )
    assertHolds(edited, texts)
  })
  await holds(t, property, 3_000)
})
