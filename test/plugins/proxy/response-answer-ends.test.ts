import t from 'tap'
import { createResponseAnswer } from '../../../plugins/proxy/response-answer.ts'
import type { JsonObject } from '../../../storage/contract.ts'
import { message, official, responseWith, textPart } from '../../fixtures/responses/answers.ts'
import { readResponse } from '../../helper/response-reader.ts'

const { events, response } = official[0] as (typeof official)[0]
const CREATED = events[0] as JsonObject
const DELTA = { type: 'response.output_text.delta', delta: 'Hello' }
const WITHOUT_END = events.slice(0, -1)
const UNDONE = events.slice(0, -2)

const ENDS: {
  name: string
  data: (JsonObject | string)[]
  finished?: true
  failure?: 'broken' | 'failed'
}[] = [
  { name: 'nothing', data: [] },
  { name: 'a beginning', data: [CREATED] },
  { name: 'all items done, but no end', data: WITHOUT_END },
  { name: 'all items done, and the end mark', data: [...WITHOUT_END, '[DONE]'], finished: true },
  { name: 'an item that is not done, and the end mark', data: [...UNDONE, '[DONE]'] },
  { name: 'the end mark alone', data: ['[DONE]'] },
  { name: 'a beginning and the end mark', data: [CREATED, '[DONE]'] },
  { name: 'response.completed', data: events, finished: true },
  { name: 'response.completed alone', data: [events.at(-1) as JsonObject], finished: true },
  { name: 'response.incomplete', data: [{ type: 'response.incomplete', response }], finished: true },
  { name: 'response.failed', data: [DELTA, { type: 'response.failed', response }], failure: 'failed' },
  {
    name: 'an error event',
    data: [DELTA, { type: 'error', code: 'x', message: 'secret', param: null }],
    failure: 'broken'
  },
  { name: 'an error event around its error', data: [{ type: 'error', error: {} }], failure: 'broken' },
  { name: 'an error without a type', data: [DELTA, { error: { message: 'secret' } }], failure: 'broken' },
  { name: 'an error that is a string', data: [{ error: 'secret' }], failure: 'broken' },
  { name: 'an error after all items are done', data: [...WITHOUT_END, { type: 'error' }], failure: 'broken' },
  { name: 'an error field that is null', data: [{ error: null }] },
  { name: 'an error field of another event', data: [{ type: 'response.new', error: { a: 1 } }] }
]

for (const { name, data, finished, failure } of ENDS) {
  t.test(`the end by meaning: ${name} is ${failure ?? (finished ? 'an end' : 'not an end')}`, async (t) => {
    const { reader } = readResponse(data)
    t.equal(reader.finished, finished ?? false)
    t.equal(reader.failure, failure ?? null)
    t.notMatch(reader.answer().text ?? '', /secret/)
  })
}

t.test('after the end nothing is read', async (t) => {
  for (const end of [events.at(-1), { type: 'error' }] as JsonObject[]) {
    const { reader } = readResponse([...WITHOUT_END, end])
    const before = JSON.stringify(reader.answer())
    for (const late of [DELTA, { type: 'response.failed', response }, { error: 'late' }]) {
      t.equal(reader.readEvent(JSON.stringify(late)), true)
    }
    t.equal(reader.readEvent('[DONE]'), true)
    t.equal(JSON.stringify(reader.answer()), before)
    t.equal(reader.failure, end.type === 'error' ? 'broken' : null)
  }
})

t.test('an answer that the end mark alone ended is a completed one', async (t) => {
  const { reader } = readResponse([...WITHOUT_END, '[DONE]'])
  t.strictSame(reader.answer().output, { response: { ...response, status: 'completed' } })
})

t.test('the beginning alone is kept, and nothing is nothing', async (t) => {
  t.match(readResponse([CREATED]).reader.answer(), {
    text: null,
    completionId: 'resp_1',
    output: { response: { status: 'incomplete', output: [] } }
  })
  t.strictSame(readResponse(['[DONE]']).reader.answer(), {
    text: null,
    finishReason: null,
    completionId: null,
    model: null,
    output: null
  })
})

t.test('a JSON body is an answer when it has an output and has ended', async (t) => {
  const output = [message('msg_1', textPart('Hello'))]
  const deep = JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`)
  const CASES: [body: JsonObject, answer: boolean, finished?: boolean, failure?: 'failed'][] = [
    [{ object: 'response', status: 'completed', output }, true, true],
    [{ object: 'response', status: 'incomplete', output: [] }, true, true],
    [{ output }, true, true],
    [{ object: 'response', status: 'failed', output: [], error: { code: 'x' } }, true, false, 'failed'],
    [{ object: 'response', status: 'queued', output }, false],
    [{ object: 'response', status: 'in_progress', output }, false],
    [{ object: 'list', output }, false],
    [{ object: 'response', output: 'Hello' }, false],
    [{ object: 'response' }, false],
    [{ error: { message: 'no' } }, false],
    [{ output: [], deep }, false]
  ]
  for (const [body, isAnswer, finished = false, failure = null] of CASES) {
    const reader = createResponseAnswer()
    const name = JSON.stringify(body).slice(0, 60)
    t.equal(reader.readBody(body), isAnswer, name)
    t.equal(reader.finished, finished, name)
    t.equal(reader.failure, failure, name)
    t.equal(reader.answer().output !== null, isAnswer, name)
  }
})

t.test('names that no index takes are left out', async (t) => {
  for (const name of ['', 'x'.repeat(257), 7, null]) {
    const { reader } = readResponse([
      CREATED,
      { type: 'response.completed', response: responseWith([], { id: name, model: name }) }
    ])
    t.match(reader.answer(), { completionId: 'resp_1', model: 'm-1' }, 'the ones before count')
    const body = createResponseAnswer()
    body.readBody(responseWith([], { id: name, model: name }))
    t.match(body.answer(), { completionId: null, model: null })
  }
})

t.test('messages without text are no text', async (t) => {
  const [empty, hello] = [message('msg_1', textPart('')), message('msg_2', textPart('Hello'))]
  for (const [output, text] of [
    [[], null],
    [[empty], null],
    [[message('msg_3')], null],
    [[empty, hello], 'Hello'],
    [[null, 7, { type: 'message' }, hello], 'Hello']
  ] as const) {
    const reader = createResponseAnswer()
    reader.readBody(responseWith(output as unknown as JsonObject[]))
    t.equal(reader.answer().text, text)
  }
})
