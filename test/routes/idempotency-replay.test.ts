import t from 'tap'
import type { JsonObject } from '../../storage/contract.ts'
import { official } from '../fixtures/responses/answers.ts'
import { sendResponse } from '../helper/echo-upstream.ts'
import { isReplayed, sdkReadsChat, sdkReadsResponse } from '../helper/replay.ts'
import { startStateful } from '../helper/stateful.ts'
import { toolCall } from '../helper/tools.ts'
import { DONE, sendJson, startSse } from '../helper/upstream.ts'

const KEY = { 'idempotency-key': 'key-1' }
const USAGE = {
  prompt_tokens: 3,
  completion_tokens: 5,
  total_tokens: 8,
  prompt_tokens_details: { cached_tokens: 2 }
}

interface Answer {
  name: string
  choices: { message: JsonObject; finish_reason: string }[]
  n?: number
  usage?: JsonObject
}
const said = (content: string, more: JsonObject = {}) => ({
  message: { role: 'assistant', content, ...more },
  finish_reason: 'stop'
})
const CALLS = [toolCall('call_a', 'weather', '{"city":"Köln"}'), toolCall('call_b', 'time')]
const CHATS: Answer[] = [
  { name: 'text', choices: [said('Hello 😀\n"you"')] },
  { name: 'no text', choices: [said('')] },
  {
    name: 'nothing at all',
    choices: [{ message: { role: 'assistant', content: null }, finish_reason: 'content_filter' }]
  },
  { name: 'an end by length', choices: [{ ...said('Hel'), finish_reason: 'length' }] },
  { name: 'two choices', n: 2, choices: [said('A'), said('B')] },
  {
    name: 'a refusal',
    choices: [{ message: { role: 'assistant', content: null, refusal: 'I can not.' }, finish_reason: 'stop' }]
  },
  { name: 'usage', choices: [said('a')], usage: USAGE },
  {
    name: 'reasoning',
    choices: [
      said('a', { reasoning_content: 'hm', reasoning_details: [{ type: 't', text: 'hm', index: 0 }] })
    ]
  },
  {
    name: 'tool calls',
    choices: [
      {
        message: { role: 'assistant', content: null, tool_calls: CALLS as never },
        finish_reason: 'tool_calls'
      }
    ]
  },
  {
    name: 'text and a call in the second choice',
    n: 2,
    choices: [
      said('a'),
      {
        message: { role: 'assistant', content: 'b', tool_calls: CALLS.slice(1) as never },
        finish_reason: 'tool_calls'
      }
    ]
  }
]

/** A chat's answer as a stream: each choice in one delta, tool calls with their index. */
function streamOf({ choices, usage }: Answer): string {
  const base = { id: 'chatcmpl-test', object: 'chat.completion.chunk', created: 1, model: 'm' }
  const events = choices.flatMap(({ message, finish_reason }, index) => {
    const calls = message.tool_calls as JsonObject[] | undefined
    const delta = {
      ...message,
      ...(calls && { tool_calls: calls.map((call, at) => ({ index: at, ...call })) })
    }
    return [
      { ...base, choices: [{ index, delta, finish_reason: null }] },
      { ...base, choices: [{ index, delta: {}, finish_reason }] }
    ]
  })
  const all = usage ? [...events, { ...base, choices: [], usage }] : events
  return all.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('') + DONE
}

for (const answer of CHATS) {
  t.test(`a chat that is replayed says the same to the official SDK: ${answer.name}`, async (t) => {
    const { client, upstream } = await startStateful(t, {}, (res, call) => {
      const { choices, usage } = answer
      if (JSON.parse(call.body).stream) {
        startSse(res)
        return void res.end(streamOf(answer))
      }
      const base = { id: 'chatcmpl-test', object: 'chat.completion', created: 1, model: 'm' }
      const indexed = choices.map((choice, index) => ({ index, ...choice, logprobs: null }))
      sendJson(res, 200, { ...base, choices: indexed, ...(usage && { usage }) })
    })
    for (const stream of [false, true]) {
      const body = {
        stream,
        ...(answer.n && { n: answer.n }),
        ...(stream && answer.usage && { stream_options: { include_usage: true } })
      }
      const headers = { 'idempotency-key': `key ${stream}` }
      const first = await sdkReadsChat(client, body, headers)
      const again = await sdkReadsChat(client, body, headers)
      t.strictSame(again, first, stream ? 'as a stream' : 'as JSON')
    }
    t.equal(upstream.calls.length, 2)
  })
}

t.test('a stream that is replayed has its usage only where it was asked for', async (t) => {
  const answer = CHATS.find(({ name }) => name === 'usage') as Answer
  const { chat } = await startStateful(t, {}, (res) => {
    startSse(res)
    res.end(streamOf(answer))
  })
  for (const include_usage of [false, true]) {
    const body = { stream: true, stream_options: { include_usage } }
    const headers = { 'idempotency-key': `key ${include_usage}` }
    await (await chat(body, headers)).text()
    const again = await chat(body, headers)
    t.ok(isReplayed(again))
    const text = await again.text()
    t.equal(text.includes('"usage":{'), include_usage)
    t.ok(text.endsWith(DONE))
  }
})

for (const { name, response } of official.filter((fixture) => fixture.response.status !== 'failed')) {
  t.test(`a response that is replayed says the same to the official SDK: ${name}`, async (t) => {
    const { client, upstream } = await startStateful(t, {}, (res, call) =>
      sendResponse(res, JSON.parse(call.body), response)
    )
    for (const stream of [false, true]) {
      const headers = { ...KEY, 'idempotency-key': `key ${stream}` }
      const first = await sdkReadsResponse(client, { stream }, headers)
      const again = await sdkReadsResponse(client, { stream }, headers)
      t.strictSame(again, first, stream ? 'as a stream' : 'as JSON')
    }
    t.equal(upstream.calls.length, 2)
  })
}

t.test('a replayed stream of a response has its events in the order of the original', async (t) => {
  const { respond } = await startStateful(t)
  const typesOf = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type)
  const once = typesOf((await respond('a', { stream: true }, KEY)).text)
  const again = await respond('a', { stream: true }, KEY)
  t.ok(isReplayed(again))
  const distinct = (types: unknown[]) => types.filter((type, i) => type !== types[i - 1])
  t.strictSame(distinct(typesOf(again.text)), distinct(once))
  const numbers = [...again.text.matchAll(/"sequence_number":(\d+)/g)].map(([, number]) => Number(number))
  t.strictSame(
    numbers,
    numbers.map((_, i) => i)
  )
})
