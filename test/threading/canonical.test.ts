import fc from 'fast-check'
import t from 'tap'
import type { Json, JsonObject } from '../../storage/contract.ts'
import { dialogueOf } from '../../storage/threading/canonical.ts'
import { createMarkers, digestsOf, requestMarks } from '../../storage/threading/marks.ts'
import { isTaskPrompt } from '../../storage/threading/task-prompts.ts'
import { holds } from '../helper/property.ts'
import { assistant, type Message, user } from '../helper/talk.ts'

const said = (entries: (Message | JsonObject)[]) => digestsOf(dialogueOf(entries as JsonObject[])).at(-1)

function calling(calls: object[], more: object = {}): Message {
  return { role: 'assistant', content: null, tool_calls: calls, ...more }
}
const call = (id: string, args: string) => ({
  id,
  type: 'function',
  function: { name: 'weather', arguments: args }
})
const PIXEL = 'iVBORw0KGgo='

/** [what clients change, what was said, and the same as they say it] */
const SAME: [string, (Message | JsonObject)[], (Message | JsonObject)[]][] = [
  [
    'instructions',
    [user('a')],
    [{ role: 'system', content: 'b' }, { role: 'developer', content: 'c' }, user('a')]
  ],
  [
    'a text into parts',
    [user('ab')],
    [
      user([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' }
      ])
    ]
  ],
  ['line ends', [user('a\nb')], [user('a\r\nb')]],
  ['white space around', [user('a')], [user('\n a \t')]],
  ['the normal form', [user('é')], [user('e\u0301')]],
  ['names and ids', [user('a')], [{ role: 'user', content: 'a', name: 'Ada', id: 'msg_1' } as Message]],
  ['thoughts', [assistant('a')], [assistant('<think>so\nand so</think>\n\na')]],
  [
    'reasoning',
    [assistant('a')],
    [{ role: 'assistant', content: 'a', reasoning_content: 'so', refusal: null } as Message]
  ],
  [
    'ids and the spelling of calls',
    [calling([call('1', '{"city":"Oslo","unit":{"a":1,"b":[]}}')])],
    [calling([call('2', '{ "unit": {"b": [], "a": 1}, "city": "Oslo" }')], { content: '' })]
  ],
  ['no arguments', [calling([call('1', '')])], [calling([call('1', '{}')])]],
  ['one answer in two messages', [assistant('a\nb')], [assistant('a'), assistant('b')]],
  [
    'text and calls apart',
    [calling([call('1', '{}')], { content: 'a' })],
    [assistant('a'), calling([call('1', '{}')])]
  ],
  ['an empty answer', [user('a')], [user('a'), assistant('')]],
  [
    'the detail of an image',
    [user([{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }])],
    [user([{ type: 'image_url', image_url: { url: `data:image/x-png;base64,${PIXEL}`, detail: 'low' } }])]
  ],
  [
    'messages as items',
    [
      user('a'),
      calling([call('1', '{}')], { content: 'b' }),
      { role: 'tool', content: 'c', tool_call_id: '1' }
    ],
    [
      { role: 'user', content: [{ type: 'input_text', text: 'a' }] },
      { type: 'reasoning', id: 'rs_1', summary: [] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b' }] },
      { type: 'function_call', call_id: '1', name: 'weather', arguments: '{}' },
      { type: 'function_call_output', call_id: '1', output: 'c' }
    ]
  ],
  [
    'an older call of a function',
    [calling([call('1', '{}')])],
    [{ role: 'assistant', function_call: { name: 'weather', arguments: '{}' } } as Message]
  ]
]

for (const [name, one, other] of SAME)
  t.test(`what clients change on the way does not count: ${name}`, async (t) =>
    t.equal(said(other), said(one))
  )

/** Pairs that must not be taken for each other. */
const DIFFERENT: [string, (Message | JsonObject)[], (Message | JsonObject)[]][] = [
  ['who says it', [user('a')], [assistant('a')]],
  ['where one ends', [user('a'), user('b')], [user('ab')]],
  ['a result and a question', [user('a')], [{ role: 'tool', content: 'a', tool_call_id: '1' }]],
  ['arguments', [calling([call('1', '{"a":1}')])], [calling([call('1', '{"a":"1"}')])]],
  ['how often', [calling([call('1', '{}')])], [calling([call('1', '{}'), call('2', '{}')])]],
  ['words and calls', [assistant('call weather {}')], [calling([call('1', '{}')])]],
  [
    'images',
    [user([{ type: 'image_url', image_url: { url: 'https://example.com/1.png' } }])],
    [user([{ type: 'image_url', image_url: { url: 'https://example.com/2.png' } }])]
  ],
  ['a thought without an end', [assistant('a')], [assistant('<think>a')]],
  ['case', [user('a')], [user('A')]]
]

for (const [name, one, other] of DIFFERENT)
  t.test(`what was said counts: ${name}`, async (t) => t.not(said(other), said(one)))

t.test('no two dialogues are taken for each other', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', '1', ':', '\n', 'user', ' '), maxLength: 6 })
  const message = fc.record({ role: fc.constantFrom('user', 'assistant', 'tool'), content: text })
  const dialogue = fc.array(message, { maxLength: 4 })
  const plain = (messages: JsonObject[]) =>
    JSON.stringify(dialogueOf(messages).map(({ by, words, others }) => [by, words, others]))
  await holds(
    t,
    fc.property(
      dialogue,
      dialogue,
      (one, other) => (said(one) === said(other)) === (plain(one) === plain(other))
    ),
    20_000
  )
})

t.test('anything that a client may send has a dialogue', async (t) => {
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
  const entry = fc.dictionary(
    fc.constantFrom(
      'role',
      'type',
      'content',
      'output',
      'tool_calls',
      'function_call',
      'arguments',
      'name',
      'refusal'
    ),
    fc.oneof(
      json,
      fc.constantFrom('user', 'assistant', 'tool', 'message', 'function_call', 'function_call_output'),
      fc.array(
        fc.dictionary(fc.constantFrom('type', 'text', 'image_url', 'function', 'custom', 'refusal'), json)
      )
    )
  ) as fc.Arbitrary<JsonObject>
  await holds(
    t,
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      isTaskPrompt(entries)
      return typeof said(entries) === 'string'
    }),
    5_000
  )
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  t.type(said([calling([call('1', deep)])]), 'string')
  t.type(said([assistant('<think>'.repeat(200_000)), user('\ud800\0')]), 'string')
  t.type(said([assistant('<think></think>'.repeat(200_000))]), 'string')
  t.type(said([user(`a${'\u0301\u0316'.repeat(200_000)}`)]), 'string')
  const many = Array.from({ length: 2_000 }, () => assistant('b'))
  t.type(said([assistant('a'.repeat(5_000_000)), ...many]), 'string')
})

t.test('marks are the session’s and the end user’s own', async (t) => {
  const marks = [
    createMarkers('secret')('ada', null),
    createMarkers('secret')('ada', ''),
    createMarkers('secret')('ada', 'x'),
    createMarkers('secret')('bob', null),
    createMarkers('another')('ada', null)
  ].flatMap((marker) => [
    marker.tip('d'),
    marker.asked('d'),
    marker.answer({ by: 'assistant', words: 'd', others: '', end: 1 })
  ])
  t.equal(new Set(marks).size, marks.length)
  for (const mark of marks) t.match(mark, /^[\w-]{22}$/)
})

t.test('an answer in a stream has the marks that it has as JSON', async (t) => {
  const marker = createMarkers('secret')('ada', null)
  const digests = digestsOf(dialogueOf([user('a')] as JsonObject[]))
  const { of } = requestMarks(marker, 'chat', digests, null)
  const answer = { text: 'b', finishReason: 'stop', completionId: 'c', model: 'm', output: null }
  const withUsage = { ...answer, completionId: 'd', output: { usage: { total_tokens: 1 } } }
  t.same(of(answer), of(withUsage))
  const resent = digestsOf(dialogueOf([user('a'), assistant('b'), user('c')] as JsonObject[]))
  t.equal(of(answer).tipMark, marker.tip(resent[2] ?? ''))
  t.same(of({ ...answer, text: null, finishReason: null }), { tipMark: null, answerMark: null })
})

t.test('a person’s own words are no prompt of a chat UI', async (t) => {
  const prompts = [
    'Generate a title for this conversation:\n',
    '### Task:\nGenerate 1-3 broad tags categorizing the main themes',
    'Provide a concise, 5-word-or-less title for the conversation, using title case conventions.'
  ]
  for (const prompt of prompts) {
    t.ok(isTaskPrompt([user(prompt)] as JsonObject[]), prompt)
    t.ok(isTaskPrompt([user([{ type: 'text', text: `\n${prompt}` }])] as JsonObject[]), 'in parts')
    t.notOk(isTaskPrompt([user(`Translate: ${prompt}`)] as JsonObject[]), 'quoted')
    t.notOk(isTaskPrompt([user('a'), assistant('b'), user(prompt)] as JsonObject[]), 'in a chat')
  }
  const quoting = '<chat_history>\nUSER: a\n</chat_history>\nQuestion: b'
  t.ok(isTaskPrompt([user(`### Task:\nName it.\n${quoting}`)] as JsonObject[]), 'a prompt that was rewritten')
  t.notOk(isTaskPrompt([user(quoting)] as JsonObject[]), 'an application that quotes its chat')
  const last =
    'Please generate a four to five word title summarizing our conversation without any lead-in, please.'
  t.ok(isTaskPrompt([user('a'), assistant('b'), user(last)] as JsonObject[]))
  t.notOk(isTaskPrompt([user(last), assistant('b'), user('a')] as JsonObject[]), 'answered long ago')
  t.ok(
    isTaskPrompt([
      { role: 'system', content: 'You are a chat thread titling assistant.\n' },
      user('a')
    ] as JsonObject[])
  )
  t.notOk(isTaskPrompt([user('Generate a title')] as JsonObject[]))
  t.notOk(isTaskPrompt([]))
})
