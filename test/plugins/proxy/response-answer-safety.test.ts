import fc from 'fast-check'
import t from 'tap'
import { createResponseAnswer } from '../../../plugins/proxy/response-answer.ts'
import type { Json, JsonObject } from '../../../storage/contract.ts'
import { functionCall, message, official, responseWith, textPart } from '../../fixtures/responses/answers.ts'
import { eventsOf } from '../../fixtures/responses/events.ts'
import { readResponse } from '../../helper/response-reader.ts'

const names = [...new Set(official.flatMap(({ events }) => events.map(({ type }) => type as string)))]
const text = fc.string({ unit: 'binary', maxLength: 30 })

t.test('whatever comes, nothing is thrown, and the answer can be written', async (t) => {
  const index = fc.constantFrom<Json>(0, 1, 7, 1e15, -1, 0.5, null, '0')
  const value: fc.Arbitrary<Json> = fc.oneof(
    text,
    index,
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
    fc.constantFrom<Json>(message('msg_1', textPart('a')), textPart('b'), functionCall('fc_1', 'f', '{}'))
  )
  const event = fc.record(
    {
      type: fc.constantFrom(...names, 'response.constructor.delta', 'response.__proto__.added', 'x'),
      output_index: index,
      content_index: index,
      summary_index: index,
      annotation_index: index,
      item_id: fc.constantFrom('msg_1', 'fc_1', '', 7),
      item: value,
      part: value,
      response: value,
      delta: value,
      text: value,
      arguments: value,
      annotation: value,
      logprobs: value
    },
    { requiredKeys: ['type'] }
  )
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const { reader } = readResponse(events as JsonObject[])
        const { output, text } = reader.answer()
        const size = JSON.stringify(output).length
        const response = (output?.response ?? { output: [] }) as JsonObject
        return (
          Array.isArray(response.output) && (text === null || text !== '') && size < 60 * reader.size + 500
        )
      })
    )
  )
})

const part = fc.oneof(
  text.map((value) => textPart(value, [{ type: 'file_citation', file_id: value }])),
  text.map((refusal) => ({ type: 'refusal', refusal }))
)
const item = fc.oneof(
  fc.array(part, { maxLength: 3 }).map((parts) => message('', ...parts)),
  text.map((args) => functionCall('', 'f', args)),
  text.map((input) => ({ id: '', type: 'custom_tool_call', call_id: 'c', name: 'f', input, more: [input] })),
  fc.array(text, { maxLength: 3 }).map((texts) => ({
    id: '',
    type: 'reasoning',
    summary: texts.map((text) => ({ type: 'summary_text', text })),
    content: texts.map((text) => ({ type: 'reasoning_text', text })),
    encrypted_content: texts.join()
  }))
)
const anyResponse = fc
  .array(item, { maxLength: 5 })
  .map((items) => responseWith(items.map((one, index) => ({ ...one, id: `item_${index}` }) as JsonObject)))
const cutter = fc.integer({ min: 1, max: 12 }).map((length) => (whole: string) => {
  const pieces = []
  for (let at = 0; at < whole.length; at += length) pieces.push(whole.slice(at, at + length))
  return pieces
})

t.test('a stream cut before its end has the same items, in any pieces', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyResponse, cutter, (response, cut) => {
        const { reader } = readResponse(eventsOf(response, cut).slice(0, -1))
        t.same(reader.answer().output, { response: { ...response, status: 'incomplete' } })
        return !reader.finished
      }),
      { numRuns: 50 }
    )
  )
})

t.test('a stream cut anywhere has items that are done, and at most one that is incomplete', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyResponse, cutter, fc.nat(1000), (response, cut, at) => {
        const events = eventsOf(response, cut).slice(0, -1)
        const begun = events.slice(0, at % (events.length + 1))
        const { output } = (readResponse(begun).reader.answer().output?.response ?? { output: [] }) as {
          output: JsonObject[]
        }
        const done = begun.filter(({ type }) => type === 'response.output_item.done').length
        const started = begun.filter(({ type }) => type === 'response.output_item.added').length
        const whole = response.output as JsonObject[]
        return (
          output.length === started &&
          output.slice(0, done).every((one, index) => JSON.stringify(one) === JSON.stringify(whole[index])) &&
          output.slice(done).every((one) => one.status === 'incomplete' && one.id === whole[done]?.id)
        )
      })
    )
  )
})

t.test('JSON and stream give the same answer, whatever it is', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyResponse, cutter, (response, cut) => {
        const reader = createResponseAnswer()
        reader.readBody(response)
        t.strictSame(readResponse(eventsOf(response, cut)).reader.answer(), reader.answer())
      }),
      { numRuns: 50 }
    )
  )
})

t.test('events of unexpected shapes are passed over', async (t) => {
  const odd = [
    '{}',
    '[]',
    '7',
    'null',
    '{broken',
    '"[DONE]"',
    '{"type":7}',
    '{"type":"response.audio.delta"}'
  ]
  const { reader, ended } = readResponse([...odd, { type: 'response.output_text.delta', delta: 'a' }])
  t.ok(ended.every((end) => !end))
  t.equal(reader.answer().text, 'a')
})

t.test('what is nested too deep to be stored does not cost the rest of the answer', async (t) => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const { events } = official[0] as (typeof official)[0]
  const end = `{"type":"response.completed","response":{"id":"resp_1","x":${deep}}}`
  const delta = `{"type":"response.output_text.delta","delta":"b","logprobs":${deep}}`
  t.match(readResponse([...events.slice(0, -1), end]).reader, { finished: true })
  t.match(readResponse([...events.slice(0, -1), end]).reader.answer(), { text: 'Hello wörld' })
  const pieces = readResponse([{ type: 'response.output_text.delta', delta: 'a' }, delta])
  t.equal(pieces.reader.answer().text, 'ab')
  t.match(readResponse([`{"error":${deep}}`]).reader, { failure: 'broken' })
})

t.test('a field that is named like the prototype is a plain field', async (t) => {
  const evil = '"__proto__":{"polluted":"yes"}'
  const { reader } = readResponse([
    `{"type":"response.created","response":{"id":"resp_1",${evil}}}`,
    `{"type":"response.output_item.added","output_index":0,"item":{"type":"message",${evil}}}`,
    `{"type":"response.content_part.added","output_index":0,"part":{"type":"output_text",${evil}}}`,
    `{"type":"response.output_text.delta","output_index":0,"delta":"a",${evil}}`
  ])
  const response = reader.answer().output?.response as JsonObject
  const [item] = response.output as [JsonObject]
  for (const one of [response, item, (item.content as JsonObject[])[0], {}]) {
    t.notOk((one as { polluted?: string }).polluted)
  }
  t.equal(reader.answer().text, 'a')
})
