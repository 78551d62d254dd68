import t from 'tap'
import { createChatAnswer } from '../../../plugins/proxy/chat-answer.ts'
import { answers } from '../../fixtures/sse/answers.ts'
import { chunk } from '../../fixtures/sse/fixture.ts'
import { framing } from '../../fixtures/sse/framing.ts'
import { readWhole } from '../../helper/sse-oracle.ts'

function read(data: string[], n = 1) {
  const reader = createChatAnswer(n)
  const ended = data.map((event) => reader.readEvent(event))
  return { reader, ended }
}

function body(choices: object[], more: object = {}) {
  return JSON.parse(JSON.stringify({ id: 'chatcmpl-test', choices, ...more }))
}

t.test('an answer is what its events say', async (t) => {
  for (const { name, bytes, n, stored } of [...framing, ...answers]) {
    const { reader, ended } = read(readWhole(bytes).events, n)
    t.strictSame(
      reader.answer(),
      {
        text: stored.assistant_text,
        finishReason: stored.finish_reason,
        completionId: stored.completion_id,
        model: null,
        output: stored.detail
      },
      name
    )
    t.equal(reader.finished, true, `${name}: finished`)
    t.equal(reader.failure, null, `${name}: not failed`)
    t.notOk(ended.slice(0, -1).includes(true), `${name}: nothing but its last event ends it`)
  }
})

const A = chunk({ content: 'a' })
const STOP = chunk({}, 'stop')
const ENDS: { name: string; data: string[]; n?: number; finished: boolean; failed?: boolean }[] = [
  { name: 'nothing', data: [], finished: false },
  { name: 'text alone', data: [A], finished: false },
  { name: 'a finish reason', data: [A, STOP], finished: true },
  { name: 'a finish reason together with text', data: [chunk({ content: 'a' }, 'length')], finished: true },
  { name: 'the end mark alone', data: ['[DONE]'], finished: true },
  { name: 'the end mark and blanks', data: [A, '[DONE] '], finished: true },
  { name: 'one of two choices', data: [A, STOP], n: 2, finished: false },
  { name: 'two of two choices', data: [STOP, chunk({}, 'stop', 1)], n: 2, finished: true },
  {
    name: 'a choice nobody asked for is still running',
    data: [STOP, chunk({ content: 'b' }, null, 1)],
    finished: false
  },
  { name: 'an error', data: [A, '{"error":{"message":"no"}}'], finished: false, failed: true },
  { name: 'an error that is a string', data: ['{"error":"no"}'], finished: false, failed: true },
  { name: 'an error after the finish reason', data: [STOP, '{"error":{}}'], finished: false, failed: true },
  {
    name: 'an error field that is null',
    data: [JSON.stringify({ ...JSON.parse(STOP), error: null })],
    finished: true
  }
]

for (const { name, data, n, finished, failed } of ENDS) {
  t.test(`the end by meaning: ${name} is ${finished ? '' : 'not '}an end`, async (t) => {
    const { reader } = read(data, n)
    t.equal(reader.finished, finished)
    t.equal(reader.failure, failed ? 'broken' : null)
  })
}

t.test('only the end mark and an error end the stream', async (t) => {
  t.strictSame(read([A, STOP, '{broken', '7', '"[DONE]"', '[DONE]']).ended, [...Array(5).fill(false), true])
  t.strictSame(read([A, '{"error":{}}']).ended, [false, true])
})

t.test('events of unexpected shapes are passed over', async (t) => {
  const odd = [
    '{}',
    '[]',
    '7',
    'null',
    '{"choices":{}}',
    '{"choices":[null,7,{}]}',
    '{"choices":[{"delta":"a"}]}'
  ]
  const { reader } = read([...odd, A])
  t.equal(reader.answer().text, 'a')
  t.equal(reader.finished, false)
})

t.test('an error text does not become a part of the answer', async (t) => {
  const { reader } = read([
    A,
    '{"error":{"message":"secret"},"choices":[{"index":0,"delta":{"content":"x"}}]}'
  ])
  t.strictSame(reader.answer(), {
    text: 'a',
    finishReason: null,
    completionId: 'chatcmpl-test',
    model: null,
    output: null
  })
})

t.test('the first id counts', async (t) => {
  const { reader } = read([A, A.replace('chatcmpl-test', 'other')])
  t.equal(reader.answer().completionId, 'chatcmpl-test')
})

t.test('the first model that is one counts', async (t) => {
  const named = (model: unknown) => A.replace('{', `{"model":${JSON.stringify(model)},`)
  const long = 'x'.repeat(257)
  for (const none of ['', long, null, 7]) t.equal(read([named(none)]).reader.answer().model, null)
  t.equal(read([named(''), named('m-1'), named('m-2')]).reader.answer().model, 'm-1')
  const reader = createChatAnswer(1)
  reader.readBody(body([{ index: 0, message: { content: 'a' } }], { model: 'm-3' }))
  t.equal(reader.answer().model, 'm-3')
})

t.test('an id that is empty is none', async (t) => {
  const { reader } = read([A.replace('chatcmpl-test', '')])
  t.equal(reader.answer().completionId, null)
})

t.test('what is nested too deep to be stored does not cost the rest of the answer', async (t) => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}']
  ] as const) {
    const deep = `${open.repeat(20_000)}7${close.repeat(20_000)}`
    const { reader } = read([A, A.replace('"a"', `"","x":${deep}`), STOP])
    t.doesNotThrow(() => JSON.stringify(reader.answer()))
    t.match(reader.answer(), { text: 'a', finishReason: 'stop' })
  }
})

t.test('the last usage counts', async (t) => {
  const usage = (total_tokens: number) => JSON.stringify({ choices: [], usage: { total_tokens } })
  t.strictSame(read([usage(1), usage(2), '{"choices":[],"usage":null}']).reader.answer().output, {
    usage: { total_tokens: 2 }
  })
})

t.test('further choices are kept in the order of their index', async (t) => {
  const { reader } = read([chunk({ content: 'c' }, 'stop', 2), chunk({ content: 'b' }, 'stop', 1), A])
  t.strictSame(reader.answer().output, {
    choices: [
      { index: 1, message: { content: 'b' }, finish_reason: 'stop' },
      { index: 2, message: { content: 'c' }, finish_reason: 'stop' }
    ]
  })
})

t.test('text that no store can hold exactly is kept in the detail too', async (t) => {
  for (const content of ['a\0b', 'half \ud83d']) {
    const { reader } = read([chunk({ content })])
    t.equal(reader.answer().text, content)
    t.match(reader.answer().output, { choices: [{ index: 0, message: { content } }] })
  }
})

t.test('the size grows with what has come, so that it can be limited', async (t) => {
  const { reader } = read([A])
  const before = reader.size
  reader.readEvent(chunk({ content: 'x'.repeat(1_000) }))
  t.ok(reader.size >= before + 1_000)
})

t.test('a JSON answer is read like a stream', async (t) => {
  const message = { role: 'assistant', content: 'Hello', refusal: null }
  const reader = createChatAnswer(1)
  t.equal(reader.readBody(body([{ index: 0, message, finish_reason: 'stop' }])), true)
  t.equal(reader.finished, true)
  t.strictSame(reader.answer(), {
    text: 'Hello',
    finishReason: 'stop',
    completionId: 'chatcmpl-test',
    model: null,
    output: null
  })
})

t.test('a JSON answer with tool calls, parts and usage is kept verbatim', async (t) => {
  const content = [
    { type: 'text', text: 'a' },
    { type: 'image_url', image_url: { url: 'x' } },
    { type: 'text', text: 'b' }
  ]
  const tool_calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }]
  const usage = { total_tokens: 9 }
  const reader = createChatAnswer(1)
  reader.readBody(
    body([{ index: 0, message: { role: 'assistant', content, tool_calls }, finish_reason: 'stop' }], {
      usage
    })
  )
  t.equal(reader.answer().text, 'ab')
  t.strictSame(reader.answer().output, {
    choices: [{ index: 0, message: { content, tool_calls }, finish_reason: 'stop' }],
    usage
  })
})

t.test('choices of a JSON body without an index are told apart by their place', async (t) => {
  const reader = createChatAnswer(2)
  reader.readBody({ choices: [{ message: { content: 'A' } }, { message: { content: 'B' } }] })
  t.equal(reader.answer().text, 'A')
  t.strictSame(reader.answer().output, {
    choices: [{ index: 1, message: { content: 'B' }, finish_reason: null }]
  })
})

t.test('an id that no index takes is left out', async (t) => {
  const reader = createChatAnswer(1)
  reader.readBody({ id: 'x'.repeat(257), choices: [] })
  t.equal(reader.answer().completionId, null)
})

t.test('a JSON body without choices is not an answer', async (t) => {
  const reader = createChatAnswer(1)
  t.equal(reader.readBody({ error: { message: 'no' } }), false)
  t.equal(reader.readBody({ choices: 'none' }), false)
  t.equal(reader.finished, false)
})
