import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { searchWords } from '../../storage/search-words.ts'
import { holds } from '../helper/property.ts'

/** Words whose case or spelling is not simply each letter's: marks, ligatures, a final sigma, full width, no case. */
const word = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
  fc.constantFrom(
    'ΟΔΟΣ',
    'İstanbul',
    'straße',
    'ﬁn',
    'ＡＢＣ',
    'É',
    'e\u0301',
    'H\u0331',
    '日本',
    'ไทย',
    '²'
  ),
  fc.string({
    unit: fc.constantFrom('A', 'e', '\u0301', 'Σ', 'ﬁ', '\u0331', '가'),
    minLength: 1,
    maxLength: 140
  })
)
const sign = fc.constantFrom(' ', '\n', '.', '-', ', ', "'", '"', '/', '\u00a0')

t.test('the words of joined words are the same words', async (t) => {
  const property = fc.property(fc.array(word, { maxLength: 6 }), sign, (words, between) => {
    const found = searchWords(words.join(between))
    deepStrictEqual(searchWords(found.join(' ')), found)
  })
  await holds(t, property, 5_000)
})

t.test('a word is found by itself wherever it stands between signs', async (t) => {
  const property = fc.property(word, sign, word, sign, word, (before, left, looked, right, after) => {
    const text = new Set(searchWords(before + left + looked + right + after))
    deepStrictEqual(
      searchWords(looked).filter((one) => !text.has(one)),
      []
    )
  })
  await holds(t, property, 5_000)
})

t.test('a text is found in either case, and in either form that Unicode spells it in', async (t) => {
  const form = fc.constantFrom('NFC', 'NFD', 'NFKC', 'NFKD')
  const property = fc.property(word, form, (given, of) => {
    deepStrictEqual(searchWords(given.normalize(of)), searchWords(given))
    deepStrictEqual(searchWords(given.toLowerCase()), searchWords(given))
  })
  await holds(t, property, 5_000)
})

t.test('the words of a text are the same whether the text is ASCII or has more in it', async (t) => {
  const ascii = fc.string({
    unit: fc.oneof(
      fc.constantFrom('a', 'B', '7', ' ', '_'),
      fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code))
    ),
    maxLength: 200
  })
  const property = fc.property(ascii, (text) => {
    deepStrictEqual([...searchWords(text), 'é'], searchWords(`${text} é`))
  })
  await holds(t, property, 5_000)
})

t.test('every character that Unicode has is a word of its own or none, the same each time', (t) => {
  const changing: string[] = []
  for (let point = 0; point <= 0x10ffff; point += 1) {
    const text = String.fromCodePoint(point)
    const words = searchWords(`${text} ${text}`)
    if (words.join('|') !== searchWords(words.join(' ')).join('|')) changing.push(point.toString(16))
  }
  t.same(changing, [])
  t.end()
})

t.test('of very many marks on one letter the first count', async (t) => {
  const marked = (count: number) => searchWords(`a${'\u0301\u0316'.repeat(count)} b`)
  t.strictSame(marked(100_000), marked(20))
  t.equal(marked(20).at(-1), 'b')
})
