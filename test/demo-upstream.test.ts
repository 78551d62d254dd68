import { Writable } from 'node:stream'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { buildApp } from '../app.ts'
import { loadConfig } from '../config.ts'
import { startApp, tempFolder } from './helper/app.ts'
import { request } from './helper/request.ts'
import { startUpstream } from './helper/upstream.ts'

async function demo(t: Test) {
  const running = await startApp(t)
  const client = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: 'any', maxRetries: 0 })
  const ask = (content: string) => ({ model: 'any', messages: [{ role: 'user' as const, content }] })
  return { client, ask, ...running }
}

t.test('without an upstream a demo answers, and says so in text and model', async (t) => {
  const { client, ask, turnsOf } = await demo(t)
  const { data, response } = await client.chat.completions.create(ask('Is it tea time?')).withResponse()
  const text = data.choices[0]?.message.content ?? ''
  t.match(data, { object: 'chat.completion', model: 'turnkeeper-demo', choices: [{ finish_reason: 'stop' }] })
  t.match(text, /demo/)
  t.match(text, /Is it tea time\?/)
  const { usage } = data
  t.ok(usage && usage.prompt_tokens > 0 && usage.completion_tokens > 0)
  t.equal(usage?.total_tokens, (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0))
  t.match(await turnsOf(response.headers.get('x-conversation-id') ?? ''), [
    { status: 'completed', assistant_text: text, detail: { usage } }
  ])
})

t.test('the demo streams, with usage when it is asked for', async (t) => {
  const { client, ask, turnsOf } = await demo(t)
  const { data, response } = await client.chat.completions
    .create({ ...ask('Hi'), stream: true, stream_options: { include_usage: true } })
    .withResponse()
  const chunks = []
  for await (const chunk of data) chunks.push(chunk)
  t.ok(chunks.length > 10, 'in many pieces')
  t.ok(chunks.every((chunk) => chunk.model === 'turnkeeper-demo'))
  t.same(chunks.at(-1)?.choices, [])
  t.match(chunks.at(-1)?.usage, { total_tokens: Number })
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
  t.match(text, /demo/)
  t.match(await turnsOf(response.headers.get('x-conversation-id') ?? ''), [
    { status: 'completed', assistant_text: text, finish_reason: 'stop' }
  ])
})

t.test('the demo needs no model, and the conversation shows its name', async (t) => {
  const { url } = await demo(t)
  const body = { messages: [{ role: 'user', content: 'Hi' }] }
  const res = await request(`${url}/v1/chat/completions`, { body })
  t.equal(res.status, 200)
  const conversation = await request(`${url}/v1/conversations/${res.headers.get('x-conversation-id')}`)
  t.equal(conversation.json.model, 'turnkeeper-demo')
})

t.test('/error asks for an upstream error', async (t) => {
  const { client, ask } = await demo(t)
  for (const stream of [true, false]) {
    const err = await client.chat.completions.create({ ...ask('/error 429'), stream }).catch((e) => e)
    t.ok(err instanceof OpenAI.RateLimitError)
    t.match(err.message, /demo/)
  }
})

t.test('/cut asks for a stream that breaks off', async (t) => {
  const { chat, endedTurn } = await demo(t)
  const res = await chat({ stream: true, messages: [{ role: 'user', content: '/cut' }] })
  const text = await res.text()
  t.match(text, /"code":"upstream_truncated"/)
  t.notMatch(text, /\[DONE\]/)
  t.match(await endedTurn(res), { status: 'incomplete', error: 'upstream_truncated', assistant_text: /\S/ })
})

t.test('/stall asks for a stream that falls silent', async (t) => {
  const { chat, endedTurn } = await startApp(t, { UPSTREAM_IDLE_TIMEOUT_MS: '200' })
  const res = await chat({ stream: true, messages: [{ role: 'user', content: '/stall' }] })
  t.match(await res.text(), /"code":"upstream_timeout"/)
  t.match(await endedTurn(res), { status: 'incomplete', error: 'upstream_timeout', assistant_text: /\S/ })
})

t.test('the demo lists its one model', async (t) => {
  const { client } = await demo(t)
  const ids = []
  for await (const model of client.models.list()) ids.push(model.id)
  t.same(ids, ['turnkeeper-demo'])
  t.equal((await client.models.retrieve('turnkeeper-demo')).id, 'turnkeeper-demo')
  t.ok((await client.models.retrieve('gpt-4o').catch((e) => e)) instanceof OpenAI.NotFoundError)
})

t.test('the log says that a demo answers, and only then', async (t) => {
  const upstream = await startUpstream(t)
  const logOf = async (settings: Record<string, string>) => {
    let text = ''
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += chunk
        done()
      }
    })
    const config = loadConfig({ DB_URL: `sqlite:${tempFolder(t)}/test.db`, ...settings })
    await (await buildApp(config, { level: 'info', stream })).close()
    return text
  }
  t.match(await logOf({}), /demo/)
  t.notMatch(await logOf({ OPENAI_BASE_URL: upstream.url }), /demo/)
  t.notMatch(await logOf({ OPENAI_API_KEY: 'sk-x' }), /demo/)
})
