import OpenAI from 'openai'
import { sendJson } from '../../helper/upstream.ts'
import { type ClientCall, user } from './client-call.ts'
import { model } from './model.ts'

const ASK = { model: 'm', messages: [user('Hi')] }
const ASK_RESPONSE = { model: 'm', input: 'Hi' }
const KEPT = { kind: 'chat', status: 'completed', userText: 'Hi', assistantText: 'Hello world' }
const RESPONSE = { ...KEPT, kind: 'response' }

/** Calls that end early, and calls that are made again. */
export const againCalls: ClientCall[] = [
  {
    call: 'chat.completions.create, aborted',
    async check(t, { openai, answers, turns, items }) {
      answers({ text: 'Hello world', endless: true })
      const { data, response } = await openai()
        .chat.completions.create({ ...ASK, stream: true })
        .withResponse()
      let text = ''
      for await (const chunk of data) {
        text += chunk.choices[0]?.delta.content ?? ''
        if (text === 'Hello world') data.controller.abort()
      }
      t.match(await turns(), [{ ...KEPT, status: 'incomplete', error: 'client_disconnect' }])
      const id = response.headers.get('x-conversation-id') ?? ''
      t.same(await items(id), ['user: Hi', 'assistant: Hello world'])
    }
  },
  {
    call: 'chat.completions.create, tried again by the SDK',
    async check(t, { openai, upstream, asked, turns }) {
      const answer = model([], { text: 'Hello world' })
      upstream((res, call, req) => {
        if (asked().length > 1) return answer(res, call, req)
        res.setHeader('retry-after-ms', '1')
        sendJson(res, 429, { error: { message: 'busy', type: 'rate_limit', param: null, code: null } })
      })
      const completion = await openai({ maxRetries: 1 }).chat.completions.create(ASK)
      t.equal(completion.choices[0]?.message.content, 'Hello world')
      t.equal(asked().length, 2)
      const stored = await turns()
      t.match(stored, [{ ...KEPT, attempt: 2 }])
      t.equal(stored.length, 1)
    }
  },
  {
    call: 'chat.completions.create, `Idempotency-Key`',
    async check(t, { openai, answers, asked, turns }) {
      answers({ text: 'Hello world' })
      const options = { headers: { 'idempotency-key': 'key-1' } }
      const first = await openai().chat.completions.create(ASK, options)
      const { data, response } = await openai().chat.completions.create(ASK, options).withResponse()
      t.same([data.id, data.choices[0]?.message.content], [first.id, 'Hello world'])
      t.equal(response.headers.get('idempotent-replayed'), 'true')
      const other = { ...ASK, messages: [user('Other')] }
      const err = await openai({ maxRetries: 2 })
        .chat.completions.create(other, options)
        .catch((e) => e)
      t.ok(err instanceof OpenAI.UnprocessableEntityError)
      t.equal(asked().length, 1)
      t.equal((await turns()).length, 1)
    }
  },
  {
    call: 'responses.create, aborted',
    async check(t, { openai, answers, turns }) {
      answers({ text: 'Hello world', endless: true })
      const stream = await openai().responses.create({ ...ASK_RESPONSE, stream: true })
      for await (const event of stream) {
        if (event.type === 'response.output_text.done') stream.controller.abort()
      }
      t.match(await turns(), [{ ...RESPONSE, status: 'incomplete', error: 'client_disconnect' }])
    }
  },
  {
    call: 'responses.create, `Idempotency-Key`',
    async check(t, { openai, answers, asked, turns }) {
      answers({ text: 'Hello world' })
      const options = { headers: { 'idempotency-key': 'key-1' } }
      const request = { ...ASK_RESPONSE, stream: true } as const
      const first = await openai().responses.stream(request, options).finalResponse()
      const again = await openai().responses.stream(request, options).finalResponse()
      t.same([again.id, again.output_text], [first.id, 'Hello world'])
      t.equal(asked().length, 1)
      t.equal((await turns()).length, 1)
    }
  }
]
