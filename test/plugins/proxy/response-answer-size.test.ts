import t from 'tap'
import { createResponseAnswer } from '../../../plugins/proxy/response-answer.ts'
import type { JsonObject } from '../../../storage/contract.ts'
import { functionCall, message, official, responseWith, textPart } from '../../fixtures/responses/answers.ts'
import { eventsOf } from '../../fixtures/responses/events.ts'
import { readResponse } from '../../helper/response-reader.ts'

t.test('the size grows with whatever comes, so that it can be limited', async (t) => {
  const long = 'x'.repeat(1_000)
  const big = functionCall('fc_1', 'f', long)
  const EVENTS: JsonObject[] = [
    { type: 'response.created', response: { id: 'resp_1', instructions: long } },
    { type: 'response.output_item.added', item: big },
    { type: 'response.output_item.done', item: big },
    { type: 'response.content_part.added', part: textPart(long) },
    { type: 'response.content_part.done', part: textPart(long) },
    { type: 'response.output_text.done', text: long },
    { type: 'response.output_text.delta', delta: long },
    { type: 'response.output_text.delta', delta: '', logprobs: Array(125).fill(1) },
    { type: 'response.reasoning_summary_text.delta', delta: long },
    { type: 'response.function_call_arguments.delta', delta: long },
    { type: 'response.custom_tool_call_input.done', input: long },
    { type: 'response.output_text.annotation.added', annotation: { long } }
  ]
  for (const event of EVENTS) {
    const { size } = readResponse([event]).reader
    t.ok(size >= 1_000 && size < 1_200, `${event.type}: ${size}`)
  }
})

t.test('what is said again is not counted again', async (t) => {
  const long = 'x'.repeat(10_000)
  const large = [message('msg_1', textPart(long)), functionCall('fc_1', 'f', long)].map((item) => {
    const response = responseWith([item])
    return { name: `a long ${item.type}`, response, events: eventsOf(response, (text) => [text]) }
  })
  for (const { name, events, response } of [...official, ...large]) {
    const sizes = events.map((_, count) => readResponse(events.slice(0, count + 1)).reader.size)
    const whole = createResponseAnswer()
    whole.readBody(response)
    t.equal(sizes.at(-1), whole.size, name)
    t.ok(Math.max(...sizes) <= 1.2 * whole.size, `${name}: no more on the way`)
  }
})

t.test('a long answer in small pieces is gathered in no time', async (t) => {
  const reader = createResponseAnswer()
  const delta = JSON.stringify({
    type: 'response.output_text.delta',
    output_index: 0,
    content_index: 0,
    delta: 'abc'
  })
  const started = process.cpuUsage()
  for (let count = 0; count < 100_000; count += 1) reader.readEvent(delta)
  t.equal(reader.answer().text?.length, 300_000)
  t.ok(process.cpuUsage(started).user < 10e6)
})
