import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator'
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses'
import t from 'tap'
import { createResponseAnswer } from '../../../plugins/proxy/response-answer.ts'
import type { Json, JsonObject } from '../../../storage/contract.ts'
import { official, responseWith } from '../../fixtures/responses/answers.ts'
import { readResponse } from '../../helper/response-reader.ts'

t.test('an answer is what its last event says', async (t) => {
  for (const { name, response, events, text, finishReason } of official) {
    const { reader, ended } = readResponse(events)
    t.strictSame(
      reader.answer(),
      { text, finishReason, completionId: 'resp_1', model: 'm-1', output: { response } },
      name
    )
    t.equal(reader.finished, response.status !== 'failed', `${name}: finished`)
    t.equal(reader.failure, response.status === 'failed' ? 'failed' : null, `${name}: failure`)
    t.strictSame(ended, [...Array(events.length - 1).fill(false), true], `${name}: its last event ends it`)
  }
})

t.test('a JSON answer is the same answer as its stream', async (t) => {
  for (const { name, response, events } of official) {
    const reader = createResponseAnswer()
    t.equal(reader.readBody(response), true, name)
    const streamed = readResponse(events).reader
    t.strictSame(reader.answer(), streamed.answer(), name)
    t.equal(reader.finished, streamed.finished, `${name}: finished`)
    t.equal(reader.failure, streamed.failure, `${name}: failure`)
  }
})

t.test('an answer that breaks off is what the official SDK has gathered by then', async (t) => {
  for (const { name, events } of official) {
    let snapshot: Response | undefined
    const done = new Set<Json | undefined>()
    for (const [position, event] of events.slice(0, -1).entries()) {
      snapshot = accumulateResponse(event as unknown as ResponseStreamEvent, snapshot)
      if (event.type === 'response.output_item.done') done.add(event.output_index)
      const { output_text: _, ...theirs } = structuredClone(snapshot) as unknown as JsonObject
      const output = (theirs.output as JsonObject[]).map((item, index) =>
        done.has(index) ? item : { ...item, status: 'incomplete' }
      )
      const { reader } = readResponse(events.slice(0, position + 1))
      const ours = reader.answer().output
      t.same(ours, { response: { ...theirs, status: 'incomplete', output } }, `${name}: after ${position}`)
      t.equal(reader.finished, false)
    }
  }
})

t.test('of an answer that breaks off its text is told as far as it came', async (t) => {
  const [text, parts] = official.map(({ events }) => events)
  const texts = (events: JsonObject[] = []) => [
    ...new Set(events.map((_, count) => readResponse(events.slice(0, count)).reader.answer().text))
  ]
  t.strictSame(texts(text), [null, 'Hel', 'Hello ', 'Hello wör', 'Hello wörld'])
  t.strictSame(texts(parts), [
    null,
    'Hel',
    'Hello ',
    'Hello wör',
    'Hello wörld',
    'Hello wörld\n\nGoo',
    'Hello wörld\n\nGood b',
    'Hello wörld\n\nGood bye'
  ])
})

t.test('an end without its output is filled with what was gathered', async (t) => {
  for (const { name, response, events, text } of official.filter(({ name }) => !/fail|limit/.test(name))) {
    for (const output of [[], null, undefined, 'none']) {
      const end = { ...events.at(-1), response: { ...response, output } } as JsonObject
      const { reader } = readResponse([...events.slice(0, -1), end])
      t.strictSame(reader.answer().output, { response }, name)
      t.equal(reader.answer().text, text)
    }
  }
})

t.test('what was not done when an incomplete answer ended is incomplete too', async (t) => {
  const { events, response } = official[0] as (typeof official)[0]
  for (const [type, status] of [
    ['response.incomplete', 'incomplete'],
    ['response.failed', 'incomplete'],
    ['response.completed', 'completed']
  ] as const) {
    const begun = events.slice(
      0,
      events.findIndex((event) => event.type === 'response.output_text.done')
    )
    const own = { ...response, status: type.slice('response.'.length), output: [] }
    const { reader } = readResponse([...begun, { type, response: own }])
    t.match(reader.answer().output, { response: { status: own.status, output: [{ status }] } }, type)
  }
})

t.test('an end without a response, or one that runs, is told by its name', async (t) => {
  const { events } = official[0] as (typeof official)[0]
  for (const status of ['completed', 'incomplete', 'failed']) {
    const type = `response.${status}`
    const running = { type, response: responseWith([], { status: 'in_progress' }) }
    for (const end of [{ type }, { type, response: null }, running]) {
      const { reader } = readResponse([...events.slice(0, -1), end])
      t.match(reader.answer(), {
        text: 'Hello wörld',
        completionId: 'resp_1',
        output: { response: { id: 'resp_1', status, output: [{ id: 'msg_1', status: 'completed' }] } }
      })
    }
  }
})

t.test('what the first event says of the items is not taken for the end', async (t) => {
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
  const { reader } = readResponse([
    { type: 'response.created', response: responseWith([item], { status: 'in_progress' }) },
    { type: 'response.output_text.delta', output_index: 0, item_id: 'msg_1', delta: 'Hello' },
    { type: 'response.completed' }
  ])
  t.equal(reader.answer().text, 'Hello')
})

t.test('two answers share no object, with each other or with what was read', async (t) => {
  const { events, response } = official[1] as (typeof official)[0]
  for (const count of [events.length - 3, events.length]) {
    const { reader } = readResponse(events.slice(0, count))
    const first = reader.answer()
    const before = JSON.stringify(first)
    ruin(first.output)
    t.equal(JSON.stringify(reader.answer()), before)
  }
  const reader = createResponseAnswer()
  const body = structuredClone(response)
  reader.readBody(body)
  ruin(reader.answer().output)
  t.strictSame(body, response)
})

/** Changes everything there is to change in a value. */
function ruin(value: Json): void {
  if (typeof value !== 'object' || value === null) return
  for (const inner of Object.values(value)) ruin(inner)
  if (Array.isArray(value)) value.push('ruined')
  else value.ruined = true
}
