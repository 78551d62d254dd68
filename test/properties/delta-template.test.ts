import { deepStrictEqual, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createChatAnswer } from '../../plugins/proxy/chat-answer.ts'
import { templateOf } from '../../plugins/proxy/delta-template.ts'
import { holds } from '../helper/property.ts'

interface Chunk {
  choices: { delta: { content: string } }[]
  obfuscation?: string
}

/** Texts with all that a JSON string may have in it, and much that looks like the end of one. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom(
    'a',
    '',
    '"',
    '\\',
    '\n',
    '\\"',
    '"}',
    '","x":"',
    '\u007f',
    '日本',
    '\ud83d\ude00',
    '\ud83d'
  )
)
const spelling = fc.tuple(text, fc.boolean()).map(([said, escaped]) => {
  const units = said.split('')
  return escaped
    ? units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
    : JSON.stringify(said).slice(1, -1)
})

/** The text of an event around its content, as upstreams write them; `~` is where the padding's text goes. */
const frame = fc.constantFrom(
  ['{"id":"c","choices":[{"index":0,"delta":{"content":"', '"},"finish_reason":null}],"usage":null}'],
  ['{"choices":[{"delta":{"role":"assistant","content":"', '","refusal":null}}],"obfuscation":"~"}'],
  ['{ "obfuscation" : "~", "choices": [ { "index": 0, "delta": { "content": "', '" } } ] }'],
  ['{"model":"says \\"content\\":\\"","choices":[{"delta":{"content":"', '"}}]}'],
  ['{"choices":[{"delta":{"content":"first","content":"', '"}}]}'],
  ['{"choices":[{"delta":{"content":"', '","content":"last"}}]}']
)
const event = fc
  .tuple(frame, spelling, spelling)
  .map(([[before = '', after = ''], content, padding]) => `${before}${content}${after}`.replace('~', padding))

/** The event with a piece cut out, and another put in. */
const spoiled = fc
  .tuple(event, fc.nat(120), fc.nat(3), fc.constantFrom('', '"', '\\', '{', '}', ',', '\n', ' ', 'x', '":"'))
  .map(([whole, at, cut, put]) => whole.slice(0, at) + put + whole.slice(at + cut))

const parsed = (data: string): Chunk => JSON.parse(data)

t.test('what fits a template says what its first event said, with another content', (t) =>
  holds(
    t,
    fc.property(event, fc.oneof(event, spoiled), (first, second) => {
      const template = templateOf(first)
      const content = template?.contentOf(second)
      if (content === undefined) return
      const { obfuscation: _, ...said } = parsed(second)
      const { obfuscation: __, ...expected } = parsed(first)
      const [choice] = expected.choices
      ok(choice)
      choice.delta.content = content
      deepStrictEqual(said, expected)
    }),
    20_000
  )
)

t.test('an answer is the same whether its events are read by a template or one by one', (t) =>
  holds(
    t,
    fc.property(fc.array(event, { maxLength: 12 }), (events) => {
      const one = createChatAnswer(1)
      for (const data of events) one.readEvent(data)
      const sizes = events.map((data) => {
        const alone = createChatAnswer(1) // which knows no template yet
        alone.readEvent(data)
        return alone.size
      })
      deepStrictEqual(
        one.size,
        sizes.reduce((sum, size) => sum + size, 0)
      )
      const texts = events.map((data) => parsed(data).choices[0]?.delta.content ?? '')
      const whole = createChatAnswer(1)
      whole.readBody({ choices: [{ index: 0, message: { content: texts.join('') } }] })
      // A text that no store can hold exactly is in the output, so both are looked at.
      const { text, output } = one.answer()
      const expected = whole.answer()
      deepStrictEqual(text, events.length > 0 ? expected.text : null)
      deepStrictEqual(output, events.length > 0 ? expected.output : null)
    }),
    1_000
  )
)

const CHUNK = '{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}'

t.test('events like the first fit', async (t) => {
  const template = templateOf(CHUNK)
  const fits = (content: string) => template?.contentOf(CHUNK.replace('"a"', () => content))
  t.equal(fits('"bc"'), 'bc')
  t.equal(fits('""'), '')
  t.equal(fits('"line\\n"'), 'line\n')
  t.equal(fits('"\\\\"'), '\\')
  t.equal(fits('"say \\"a\\""'), 'say "a"')
  t.equal(fits('"line\n"'), undefined, 'a control character is no JSON')
  t.equal(fits('"\\x"'), undefined)
  t.equal(fits('"a","role":"assistant"'), undefined)
  t.equal(fits('null'), undefined)
  t.equal(template?.contentOf(`${CHUNK} `), undefined)
  t.equal(template?.contentOf(CHUNK.slice(0, -1)), undefined)
})

t.test('of events that say more there is no template', async (t) => {
  const says = (change: string, by: string) => templateOf(CHUNK.replace(change, by))
  t.ok(templateOf(CHUNK))
  t.equal(says('null', '"stop"'), null)
  t.equal(says('"index":0', '"index":1'), null)
  t.equal(says('"content":"a"', '"content":"a","tool_calls":[]'), null)
  t.equal(says('"content":"a"', '"content":"a","reasoning":"b"'), null)
  t.equal(says('"content":"a"', '"reasoning":{"content":"a"}'), null)
  t.equal(says('{"choices"', '{"usage":{"total_tokens":1},"choices"'), null)
  t.equal(says('{"choices"', '{"error":"no","choices"'), null)
  t.equal(says('}]}', '},{"index":1,"delta":{}}]}'), null)
  t.equal(says('}]}', '}]'), null)
})
