import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { startApp } from './helper/app.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  plainAnswer,
  sendJson,
  startSse,
  startUpstream
} from './helper/upstream.ts'

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }]

async function sdk(t: Test) {
  const upstream = await startUpstream(t)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-ours' })
  const client = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: 'sk-theirs', maxRetries: 0 })
  return { upstream, client, ...running }
}

t.test('a stream arrives chunk by chunk, without frames of our own', async (t) => {
  const { client, turnsOf } = await sdk(t)
  const { data, response } = await client.chat.completions
    .create({ model: 'm', messages: MESSAGES, stream: true })
    .withResponse()
  let text = ''
  for await (const chunk of data) {
    t.equal(chunk.object, 'chat.completion.chunk')
    t.equal(chunk.choices.length, 1)
    text += chunk.choices[0]?.delta.content ?? ''
  }
  t.equal(text, 'Hello world')
  const turns = await turnsOf(response.headers.get('x-conversation-id') ?? '')
  t.match(turns, [{ status: 'completed', assistant_text: 'Hello world' }])
})

t.test('a JSON answer is a completion, and its turn is told by the headers', async (t) => {
  const { client, turnsOf } = await sdk(t)
  const { data, response } = await client.chat.completions
    .create({ model: 'm', messages: MESSAGES })
    .withResponse()
  t.match(data, {
    id: 'chatcmpl-test',
    choices: [{ message: { content: 'Hello world' }, finish_reason: 'stop' }]
  })
  const [turn] = await turnsOf(response.headers.get('x-conversation-id') ?? '')
  t.equal(turn?.id, response.headers.get('x-turn-id'))
})

t.test('metadata, store and a conversation’s header go with the official types', async (t) => {
  const { client, upstream, turnsOf } = await sdk(t)
  const { id } = await client.conversations.create({ metadata: { topic: 'tea' } })
  await client.chat.completions.create(
    { model: 'm', messages: MESSAGES, store: true, metadata: { a: 'b' } },
    { headers: { 'x-conversation-id': id } }
  )
  t.same(JSON.parse(upstream.calls[0]?.body ?? ''), { model: 'm', messages: MESSAGES })
  t.equal((await turnsOf(id)).length, 1)
})

t.test('tools are run and answered by the SDK’s own runner', async (t) => {
  const { client, upstream, app } = await sdk(t)
  upstream.script = (res, call) => {
    if (call.body.includes('"role":"tool"')) return plainAnswer(res, call, undefined as never)
    startSse(res)
    const part = (fields: object) => ({ tool_calls: [{ index: 0, ...fields }] })
    res.write(
      delta({
        role: 'assistant',
        content: null,
        ...part({ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } })
      })
    )
    for (const piece of ['{"city"', ':"Os', 'lo"}'])
      res.write(delta(part({ function: { arguments: piece } })))
    res.end(finish('tool_calls') + DONE)
  }
  const asked: unknown[] = []
  const runner = client.chat.completions.runTools({
    model: 'm',
    stream: true,
    messages: MESSAGES,
    tools: [
      {
        type: 'function',
        function: {
          name: 'weather',
          description: 'The weather in a city',
          parameters: { type: 'object', properties: { city: { type: 'string' } } },
          parse: JSON.parse,
          function: (given: { city: string }) => {
            asked.push(given)
            return '7 °C'
          }
        }
      }
    ]
  })
  t.equal(await runner.finalContent(), 'Hello world')
  t.same(asked, [{ city: 'Oslo' }])
  const { data } = await app.store.listConversations('local', { limit: 10, order: 'asc' })
  t.equal(data.length, 1, 'the runner names no conversation, and what it sends back goes on with the first')
  const page = await app.store.listTurns('local', data[0]?.id ?? '', { limit: 10, order: 'asc' })
  t.match(page?.data, [
    {
      finishReason: 'tool_calls',
      assistantText: null,
      detail: {
        choices: [{ message: { tool_calls: [{ id: 'call_1', function: { arguments: '{"city":"Oslo"}' } }] } }]
      }
    },
    { assistantText: 'Hello world', detail: { input: [{ role: 'tool', content: '7 °C' }] } }
  ])
  t.equal(page?.data.length, 2)
})

t.test('an aborted stream cancels the upstream and is kept as far as it came', async (t) => {
  const { client, upstream, endedTurn } = await sdk(t)
  upstream.script = (res) => {
    startSse(res)
    res.write(delta({ content: 'half an' }))
  }
  const { data, response } = await client.chat.completions
    .create({ model: 'm', messages: MESSAGES, stream: true })
    .withResponse()
  for await (const chunk of data) {
    t.equal(chunk.choices[0]?.delta.content, 'half an')
    data.controller.abort()
  }
  await upstream.calls[0]?.cancelled
  t.match(await endedTurn(response), {
    status: 'incomplete',
    error: 'client_disconnect',
    assistant_text: 'half an'
  })
})

t.test('models and embeddings pass through', async (t) => {
  const { client, upstream } = await sdk(t)
  upstream.script = (res) =>
    sendJson(res, 200, { object: 'list', data: [{ id: 'm-1', object: 'model', created: 1, owned_by: 'x' }] })
  const models = []
  for await (const model of client.models.list()) models.push(model.id)
  t.same(models, ['m-1'])
  upstream.script = (res) =>
    sendJson(res, 200, {
      object: 'list',
      model: 'e',
      data: [{ object: 'embedding', index: 0, embedding: [0.5, -1] }]
    })
  const { data } = await client.embeddings.create({ model: 'e', input: 'x', encoding_format: 'float' })
  t.same(data[0]?.embedding, [0.5, -1])
  upstream.script = (res) => sendJson(res, 200, { id: 'org/m:1', object: 'model', created: 1, owned_by: 'x' })
  t.equal((await client.models.retrieve('org/m:1')).id, 'org/m:1')
})

t.test('several choices and their usage are kept', async (t) => {
  const { client, upstream, turnsOf } = await sdk(t)
  const second = { index: 1, message: { role: 'assistant', content: 'Hullo' }, finish_reason: 'length' }
  const answer = completion('Hello') as { choices: object[] }
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
  upstream.script = (res) => sendJson(res, 200, { ...answer, choices: [...answer.choices, second], usage })
  const { data, response } = await client.chat.completions
    .create({ model: 'm', messages: MESSAGES, n: 2 })
    .withResponse()
  t.equal(data.choices.length, 2)
  const [turn] = await turnsOf(response.headers.get('x-conversation-id') ?? '')
  t.equal(turn?.assistant_text, 'Hello')
  t.same(turn?.detail, {
    choices: [{ index: 1, message: { content: 'Hullo' }, finish_reason: 'length' }],
    usage
  })
})
