import t from 'tap'
import type { Json, JsonObject } from '../../../storage/contract.ts'
import { message, textPart } from '../../fixtures/responses/answers.ts'
import { sparse, sparseOutput } from '../../fixtures/responses/sparse.ts'
import { gathered, readResponse } from '../../helper/response-reader.ts'

for (const { name, events, output = sparseOutput } of sparse) {
  t.test(`a stream ${name} is gathered`, async (t) => {
    const ours = gathered(events).output as JsonObject[]
    const comparable = ours.map((item, index) => {
      const expected = output[index] ?? {}
      return 'id' in expected && expected.id === undefined ? { ...item, id: undefined } : item
    })
    t.same(comparable, output)
  })
}

for (const { name, events, output = sparseOutput } of sparse.filter(({ name }) =>
  /ind(ex|ices)|\bids?\b/.test(name)
)) {
  t.test(`a stream ${name} is gathered from its pieces alone`, async (t) => {
    const ours = gathered(events.filter(({ type }) => !(type as string).endsWith('.done'))).output
    const noId = (item: JsonObject) => ({ ...item, id: undefined })
    t.same(
      (ours as JsonObject[]).map(noId),
      output.map((item) => ({ ...noId(item), status: 'incomplete' }))
    )
  })
}

t.test('a stream of bare deltas is a message', async (t) => {
  const delta = (text: string) => ({ type: 'response.output_text.delta', delta: text })
  const { reader } = readResponse([delta('Hel'), delta('lo')])
  t.strictSame(reader.answer(), {
    text: 'Hello',
    finishReason: null,
    completionId: null,
    model: null,
    output: {
      response: {
        object: 'response',
        status: 'incomplete',
        output: [
          {
            type: 'message',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'Hello', annotations: [] }],
            status: 'incomplete'
          }
        ]
      }
    }
  })
})

t.test('items side by side are told apart by what there is to tell them by', async (t) => {
  const stream = (idOf: (item: number) => string, indexOf: (item: number) => number) => [
    ...[0, 1].map((item) => ({
      type: 'response.output_item.added',
      output_index: indexOf(item),
      item: { id: idOf(item), type: 'function_call' }
    })),
    ...['a0', 'a1', 'b0', 'b1'].map((delta) => ({
      type: 'response.function_call_arguments.delta',
      item_id: idOf(Number(delta[1])),
      output_index: indexOf(Number(delta[1])),
      delta
    }))
  ]
  const id = (item: number) => `fc_${item}`
  const index = (item: number) => item
  for (const [name, events] of [
    ['ids and indexes', stream(id, index)],
    ['ids', stream(id, () => 0)],
    ['indexes', stream(() => 'fc', index)]
  ] as const) {
    t.match(gathered(events).output, [{ arguments: 'a0b0' }, { arguments: 'a1b1' }], name)
  }
})

t.test('ended items under one index are told apart by their ids', async (t) => {
  const done = (id: string, text: string) => ({
    type: 'response.output_item.done',
    output_index: 0,
    item: message(id, textPart(text))
  })
  const { reader } = readResponse([done('msg_1', 'a'), done('msg_1', 'b'), done('msg_2', 'c'), '[DONE]'])
  t.equal(reader.answer().text, 'b\n\nc')
  t.equal(reader.finished, true)
})

t.test('a part whose pieces came first keeps them', async (t) => {
  const at = { output_index: 0, content_index: 0 }
  const { reader } = readResponse([
    { type: 'response.output_text.delta', ...at, delta: 'Hel' },
    { type: 'response.content_part.added', ...at, part: textPart('') },
    { type: 'response.output_text.delta', ...at, delta: 'lo' }
  ])
  t.equal(reader.answer().text, 'Hello')
})

t.test('an annotation that comes again under its index is still one', async (t) => {
  const annotation = (annotation_index: Json, url: string) => ({
    type: 'response.output_text.annotation.added',
    annotation_index,
    annotation: { url }
  })
  const [item] = gathered([annotation(0, 'a'), annotation(0, 'b'), annotation(9, 'c'), annotation(null, 'd')])
    .output as JsonObject[]
  t.match(item, { content: [{ annotations: [{ url: 'b' }, { url: 'c' }, { url: 'd' }] }] })
})

t.test('reasoning and text under one index are two items', async (t) => {
  const at = { output_index: 0 }
  const output = gathered([
    { type: 'response.reasoning_text.delta', ...at, delta: 'Hm' },
    { type: 'response.reasoning_summary_text.delta', ...at, summary_index: 0, delta: 'Tea' },
    { type: 'response.output_text.delta', ...at, delta: 'Hello' }
  ]).output
  t.match(output, [
    {
      type: 'reasoning',
      content: [{ type: 'reasoning_text', text: 'Hm' }],
      summary: [{ type: 'summary_text', text: 'Tea' }]
    },
    { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] }
  ])
})

t.test('items and parts are put in the order of their indexes, whatever order they come in', async (t) => {
  const delta = (output_index: number, content_index: number, text: string) => ({
    type: 'response.output_text.delta',
    output_index,
    content_index,
    delta: text
  })
  const { reader } = readResponse([delta(2, 0, 'd'), delta(0, 1, 'b'), delta(2, 1, 'e'), delta(0, 0, 'a')])
  t.equal(reader.answer().text, 'ab\n\nde')
})

t.test('what is done is not changed by what comes late', async (t) => {
  const item = { id: 'msg_1', type: 'message', status: 'completed', content: [textPart('Hello')] }
  const late = { output_index: 0, content_index: 0, item_id: 'msg_1' }
  const { reader } = readResponse([
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.output_text.delta', ...late, delta: '!' },
    { type: 'response.output_text.done', ...late, text: 'Bye' },
    { type: 'response.output_text.annotation.added', ...late, annotation: { type: 'x' } },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } }
  ])
  t.match(reader.answer().output, { response: { output: [item] } })
  t.equal(reader.answer().text, 'Hello')
})

t.test('the log probabilities of pieces are kept', async (t) => {
  const delta = (text: string) => ({
    type: 'response.output_text.delta',
    delta: text,
    logprobs: [{ token: text, logprob: -0.5 }]
  })
  const [item] = gathered([delta('a'), delta('b')]).output as JsonObject[]
  t.match(item, { content: [{ text: 'ab', logprobs: [{ token: 'a' }, { token: 'b' }] }] })
})

t.test('code that a tool runs is gathered', async (t) => {
  const at = { output_index: 0, item_id: 'ci_1' }
  const piece = (delta: string) => ({ type: 'response.code_interpreter_call_code.delta', ...at, delta })
  t.match(gathered([piece('1 +'), piece(' 1')]).output, [
    { id: 'ci_1', type: 'code_interpreter_call', code: '1 + 1', status: 'incomplete' }
  ])
})
