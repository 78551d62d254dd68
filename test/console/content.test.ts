import fc from 'fast-check'
import t from 'tap'
import type { Turn } from '../../client/index.d.ts'
import { answersOf, copiedText, messagesOf, questionOf } from '../../console/text/content.js'
import { toMarkdown } from '../../console/text/export.js'
import { holds } from '../helper/property.ts'
import { turnOf } from './turn-of.ts'

const choice = (message: object, index = 0) => ({ index, message: { role: 'assistant', ...message } })
const answerOf = (message: object, fields: Partial<Turn> = {}) =>
  answersOf(turnOf({ detail: { choices: [choice(message)] }, ...fields }))
const text = (said: string) => ({ kind: 'text', text: said })

t.test('a plain turn is a text and a text', (t) => {
  t.same(questionOf(turnOf()), [{ role: 'user', parts: [text('Hi')] }])
  t.same(answersOf(turnOf()), [[text('Hello')]])
  t.same(messagesOf(turnOf()), [{ role: 'user', content: 'Hi' }])
  t.same(questionOf(turnOf({ user_text: null })), [])
  t.same(answersOf(turnOf({ assistant_text: null })), [])
  t.equal(messagesOf(turnOf({ user_text: null })), null)
  t.end()
})

t.test('thoughts are found under each name that they have', (t) => {
  const thought = (said: string) => [[{ kind: 'reasoning', text: said }, text('So')]]
  t.same(answerOf({ content: 'So', reasoning_content: 'a' }), thought('a'))
  t.same(answerOf({ content: 'So', reasoning: 'a' }), thought('a'))
  const details = [
    { type: 'reasoning.text', text: 'a' },
    { type: 'reasoning.summary', summary: 'b' },
    { type: 'reasoning.encrypted', data: 'x' }
  ]
  t.same(answerOf({ content: 'So', reasoning_details: details }), thought('ab'))
  t.same(answerOf({ content: 'So', reasoning_content: '' }), [[text('So')]], 'an empty one is none')
  t.same(answerOf({ content: 'So', reasoning_content: null, reasoning: 'a' }), thought('a'))
  t.end()
})

t.test('the text of choice 0 may be in the turn alone', (t) => {
  const two = [choice({}), choice({ content: 'Two' }, 1)]
  t.same(answersOf(turnOf({ detail: { choices: two } })), [[text('Hello')], [text('Two')]])
  t.end()
})

t.test('tools, refusals, pictures and files are parts of their own', (t) => {
  const call = { id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } }
  const custom = { id: 'd', type: 'custom', custom: { name: 'run', input: 'x' } }
  t.same(answerOf({ content: null, refusal: 'No', tool_calls: [call, custom] }, { assistant_text: null }), [
    [
      { kind: 'refusal', text: 'No' },
      { kind: 'call', id: 'c', name: 'look', input: '{}' },
      { kind: 'call', id: 'd', name: 'run', input: 'x' }
    ]
  ])
  const url = 'data:image/png;base64,AA=='
  const content = [
    text('a'),
    { type: 'image_url', image_url: { url } },
    { type: 'input_image', image_url: url },
    { type: 'file', file: { filename: 'f' } },
    { type: 'input_audio' }
  ]
  t.same(questionOf(turnOf({ detail: { input: [{ role: 'user', content }] } })), [
    {
      role: 'user',
      parts: [
        text('a'),
        { kind: 'image', url },
        { kind: 'image', url },
        { kind: 'file', name: 'f' },
        { kind: 'file', name: 'input_audio' }
      ]
    }
  ])
  t.end()
})

t.test('a response is its output items', (t) => {
  const output = [
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'a' }], content: [{ text: 'b' }] },
    null,
    { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
    { type: 'web_search_call', id: 'w', status: 'completed' },
    {
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'output_text', text: 'So' },
        { type: 'refusal', refusal: 'No' }
      ]
    }
  ]
  const [parts = []] = answersOf(turnOf({ kind: 'response', detail: { response: { output } } }))
  t.same(
    parts.map(({ kind }) => kind),
    ['reasoning', 'call', 'call', 'text', 'refusal']
  )
  t.same(parts[0], { kind: 'reasoning', text: 'a\n\nb' })
  t.match(parts[2], { name: 'web_search_call', id: 'w' })
  t.equal(messagesOf(turnOf({ kind: 'response', detail: { input: [{ role: 'user', content: 'x' }] } })), null)
  t.equal(copiedText(parts), 'So\n\nNo')
  t.end()
})

t.test('whatever an upstream puts into an answer, a turn can be shown', async (t) => {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.string(), fc.constant(null))
  const message = fc.record(
    {
      role: odd,
      content: odd,
      reasoning: odd,
      reasoning_details: odd,
      refusal: odd,
      tool_calls: fc.oneof(odd, fc.array(odd)),
      images: fc.oneof(odd, fc.array(odd))
    },
    { requiredKeys: [] }
  )
  const item = fc.oneof(
    odd,
    fc.record(
      {
        type: fc.constantFrom(
          'message',
          'reasoning',
          'function_call',
          'function_call_output',
          'image_generation_call',
          'x'
        ),
        role: odd,
        content: odd,
        summary: odd,
        arguments: odd,
        output: odd,
        result: odd
      },
      { requiredKeys: ['type'] }
    )
  )
  const detail = fc.record(
    {
      input: fc.oneof(odd, fc.array(item), fc.array(message)),
      choices: fc.oneof(odd, fc.array(fc.oneof(odd, fc.record({ index: fc.nat(), message })))),
      response: fc.oneof(odd, fc.record({ output: fc.oneof(odd, fc.array(item)) })),
      output: fc.array(item)
    },
    { requiredKeys: [] }
  )
  await holds(
    t,
    fc.property(detail, (given) => {
      const turn = turnOf({ detail: given as Turn['detail'] })
      const said = [...questionOf(turn).flatMap(({ parts }) => parts), ...answersOf(turn).flat()]
      for (const part of said) {
        for (const value of Object.values(part))
          if (value !== null && typeof value !== 'string')
            throw new Error(`${part.kind}: ${JSON.stringify(value)}`)
      }
      messagesOf(turn)
      copiedText(said)
      return toMarkdown({ title: null } as never, [turn]).length > 0
    }),
    2_000
  )
})
