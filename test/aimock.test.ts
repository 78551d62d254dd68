import { LLMock } from '@copilotkit/aimock'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { startApp } from './helper/app.ts'

// An upstream that others wrote, and so reads the specification with other eyes than ours.
async function overAimock(t: Test) {
  const mock = new LLMock({ port: 0, logLevel: 'silent' })
  await mock.start()
  t.teardown(() => mock.stop())
  const running = await startApp(t, { OPENAI_BASE_URL: `${mock.url}/v1`, OPENAI_API_KEY: 'mock' })
  const client = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: 'any', maxRetries: 0 })
  return { mock, client, ...running }
}

const ask = (content: string) => ({ model: 'gpt-4o', messages: [{ role: 'user' as const, content }] })
const idOf = (response: Response) => response.headers.get('x-conversation-id') ?? ''

t.test('a stream and a JSON answer are kept as they were read', async (t) => {
  const { mock, client, turnsOf } = await overAimock(t)
  const answer = 'The kettle is on; tea in five minutes. 🍵'
  mock.onMessage('tea', { content: answer }, { chunkSize: 3 })
  const streamed = await client.chat.completions.create({ ...ask('tea?'), stream: true }).withResponse()
  let text = ''
  for await (const chunk of streamed.data) text += chunk.choices[0]?.delta.content ?? ''
  t.equal(text, answer)
  const whole = await client.chat.completions.create(ask('tea?')).withResponse()
  t.equal(whole.data.choices[0]?.message.content, answer)
  for (const { response } of [streamed, whole]) {
    t.match(await turnsOf(idOf(response)), [
      { status: 'completed', user_text: 'tea?', assistant_text: answer, finish_reason: 'stop' }
    ])
  }
})

t.test('the usage of a stream is kept', async (t) => {
  const { mock, client, turnsOf } = await overAimock(t)
  mock.onMessage('tea', { content: 'Yes.' })
  const { data, response } = await client.chat.completions
    .create({ ...ask('tea?'), stream: true, stream_options: { include_usage: true } })
    .withResponse()
  let usage: unknown
  for await (const chunk of data) usage = chunk.usage ?? usage
  t.match(usage, { total_tokens: Number })
  const [turn] = await turnsOf(idOf(response))
  t.same(turn?.detail, { usage })
})

t.test('a tool call and the answer to its result are two turns of one conversation', async (t) => {
  const { mock, client, turnsOf } = await overAimock(t)
  mock.onToolResult('call_1', { content: 'Seven degrees.' })
  mock.onMessage('weather', {
    toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' }]
  })
  const { id } = await client.conversations.create()
  const headers = { 'x-conversation-id': id }
  const question = ask('weather?')
  const first = await client.chat.completions
    .stream({ ...question, stream: true }, { headers })
    .finalChatCompletion()
  const message = first.choices[0]?.message
  t.match(message?.tool_calls, [
    { id: 'call_1', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }
  ])
  const result = { role: 'tool' as const, tool_call_id: 'call_1', content: '7 °C' }
  const { messages } = question
  const called = { role: 'assistant' as const, content: null, tool_calls: message?.tool_calls ?? [] }
  await client.chat.completions.create({ ...question, messages: [...messages, called, result] }, { headers })
  const [asked, answered] = await turnsOf(id)
  t.match(asked, { user_text: 'weather?', finish_reason: 'tool_calls', status: 'completed' })
  t.match(asked?.detail, {
    choices: [{ message: { tool_calls: [{ id: 'call_1', function: { arguments: '{"city":"Oslo"}' } }] } }]
  })
  t.match(answered, { user_text: null, assistant_text: 'Seven degrees.', status: 'completed' })
  t.same(answered?.detail, { ...answered?.detail, input: [result] })
})

t.test('injected errors reach the client, and the turn says so', async (t) => {
  const { mock, client, app } = await overAimock(t)
  mock.onMessage('tea', { content: 'Yes.' })
  const cases = [
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError]
  ] as const
  for (const [status, type] of cases) {
    for (const stream of [true, false]) {
      mock.nextRequestError(status, { message: 'no tea', type: 'tea_error' })
      const err = await client.chat.completions.create({ ...ask('tea?'), stream }).catch((e) => e)
      t.ok(err instanceof type, `${status}`)
      t.match(err.message, 'no tea')
      const page = await app.store.listTurns('local', err.headers.get('x-conversation-id'), {
        limit: 1,
        order: 'asc'
      })
      t.match(page?.data, [{ status: 'failed', error: 'upstream_error', assistantText: null }])
    }
  }
  t.match(await client.chat.completions.create(ask('tea?')), { choices: [{ message: { content: 'Yes.' } }] })
})

t.test('a stream that is dropped is kept as far as it came', async (t) => {
  const { mock, client, endedTurn } = await overAimock(t)
  mock.onMessage(
    'tea',
    { content: 'one two three four' },
    { chunkSize: 4, latency: 30, truncateAfterChunks: 3 }
  )
  const { data, response } = await client.chat.completions
    .create({ ...ask('tea?'), stream: true })
    .withResponse()
  let text = ''
  const reading = async () => {
    for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? ''
  }
  t.match(await reading().catch((e) => e), { code: 'upstream_truncated' })
  t.ok(text.length > 0 && 'one two three four'.startsWith(text) && text !== 'one two three four')
  t.match(await endedTurn(response), {
    status: 'incomplete',
    error: 'upstream_truncated',
    assistant_text: text
  })
})
