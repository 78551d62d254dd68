import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { createDemoServer } from '../plugins/demo-upstream/server.ts'
import { request } from './helper/request.ts'

/** The demo itself, without the service in front of it. */
async function demoAlone(t: Test) {
  const server = createDemoServer()
  t.teardown(() => server.close())
  const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/v1`
  const client = new OpenAI({ baseURL: url, apiKey: 'any', maxRetries: 0 })
  const stream = (input: string, signal?: AbortSignal) =>
    fetch(`${url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input, stream: true }),
      ...(signal && { signal })
    })
  return { url, client, stream }
}

t.test('the demo answers as the Responses API does', async (t) => {
  const { client } = await demoAlone(t)
  const response = await client.responses.create({ model: 'any', input: 'Is it tea time?' })
  t.match(response, {
    id: /^resp_\w+$/,
    object: 'response',
    status: 'completed',
    model: 'turnkeeper-demo',
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    store: true,
    output: [
      {
        id: /^msg_\w+$/,
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', annotations: [] }]
      }
    ]
  })
  t.match(response.output_text, /demo.*1 message;.*“Is it tea time\?”/s)
  const { usage } = response
  t.ok(usage && usage.input_tokens > 0 && usage.output_tokens > 0)
  t.equal(usage?.total_tokens, (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0))
  t.match(usage, {
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 }
  })
})

t.test('a response repeats its request, and answers the newest message of the user', async (t) => {
  const { client } = await demoAlone(t)
  const given = { instructions: 'Be kind.', metadata: { topic: 'tea' }, store: false, temperature: 0.5 }
  const response = await client.responses.create({
    model: 'any',
    ...given,
    input: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: [{ type: 'input_text', text: 'And now?' }] },
      { type: 'function_call_output', call_id: 'call_1', output: '7 °C' }
    ]
  })
  t.match(response, given)
  t.match(response.output_text, /5 messages;.*“And now\?”/, 'the instructions count as a message')
})

t.test('the demo streams a response with every event of the official sequence', async (t) => {
  const { client } = await demoAlone(t)
  const events = []
  for await (const event of await client.responses.create({ model: 'any', input: 'Hi', stream: true })) {
    events.push(event)
  }
  t.same(
    [...new Set(events.map(({ type }) => type))],
    [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed'
    ]
  )
  t.same(
    events.map((event) => event.sequence_number),
    [...events.keys()]
  )
  const text = events
    .map((event) => (event.type === 'response.output_text.delta' ? event.delta : ''))
    .join('')
  t.match(text, /demo/)
  const [first, last] = [events[0], events.at(-1)]
  t.match(first, { response: { status: 'in_progress', output: [] } })
  t.match(last, { response: { status: 'completed', output: [{ content: [{ text }] }], usage: Object } })
})

t.test('the SDK’s own stream of a response ends with the whole of it', async (t) => {
  const { client } = await demoAlone(t)
  const stream = client.responses.stream({ model: 'any', input: 'Hi', store: false })
  const pieces: string[] = []
  stream.on('response.output_text.delta', ({ delta }) => pieces.push(delta))
  const response = await stream.finalResponse()
  t.match(response, { status: 'completed', store: false, output_text: pieces.join('') })
  t.ok(pieces.length > 10, 'in many pieces')
})

t.test('a response can be asked to fail: with an error', async (t) => {
  const { client } = await demoAlone(t)
  for (const stream of [true, false]) {
    const err = await client.responses.create({ model: 'any', input: '/error 429', stream }).catch((e) => e)
    t.ok(err instanceof OpenAI.RateLimitError)
    t.match(err.message, /demo/)
  }
})

t.test('a response can be asked to fail: by breaking off', async (t) => {
  const { stream } = await demoAlone(t)
  const [text, cause] = await readToEnd(await stream('/cut'))
  t.equal(text.match(/"type":"response.output_text.delta"/g)?.length, 5)
  t.notMatch(text, /response\.completed/)
  t.ok(cause, 'the connection is gone')
})

t.test('a response can be asked to fail: by falling silent', async (t) => {
  const { stream } = await demoAlone(t)
  const leave = new AbortController()
  const res = await stream('/stall', leave.signal)
  // A pace of 30 ms that has stopped for a second is silence.
  const silence = setTimeout(() => leave.abort(), 1_000)
  const [text] = await readToEnd(res, () => silence.refresh())
  clearTimeout(silence)
  t.equal(text.match(/"type":"response.output_text.delta"/g)?.length, 5)
  t.ok(leave.signal.aborted, 'it was not the demo that ended it')
})

t.test('a response needs an input', async (t) => {
  const { url } = await demoAlone(t)
  for (const body of [{}, { input: [] }, { input: 7 }, { input: null }]) {
    const res = await request(`${url}/responses`, { body })
    t.equal(res.status, 400)
    t.match(res.json, { error: { code: 'missing_required_parameter', param: 'input' } })
  }
})

/** All text of a response, and what broke it off. */
async function readToEnd(
  res: Response,
  onText: (text: string) => void = () => {}
): Promise<[string, unknown]> {
  let text = ''
  try {
    for await (const chunk of res.body ?? []) {
      text += Buffer.from(chunk).toString('utf8')
      onText(text)
    }
  } catch (cause) {
    return [text, cause]
  }
  return [text, null]
}
