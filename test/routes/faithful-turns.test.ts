import t from 'tap'
import type { JsonObject } from '../../storage/contract.ts'
import { startStateful, told } from '../helper/stateful.ts'
import { completion, DONE, delta, finish, sendJson, startSse } from '../helper/upstream.ts'

const user = (content: unknown) => ({ role: 'user', content })

const AUDIO = { id: 'audio_1', data: 'UklGRg==', transcript: 'Spoken', expires_at: 1 }
const DETAILS = [{ type: 'reasoning.encrypted', data: 'gAAA', index: 0 }]
interface Kept {
  name: string
  message: JsonObject
  text: string | null
  items: string[]
}
const MESSAGES: Kept[] = [
  {
    name: 'reasoning_content',
    message: { content: 'a', reasoning_content: 'hm' },
    text: 'a',
    items: ['reasoning: hm', 'assistant: a']
  },
  {
    name: 'reasoning',
    message: { content: 'a', reasoning: 'hm' },
    text: 'a',
    items: ['reasoning: hm', 'assistant: a']
  },
  {
    name: 'reasoning_details',
    message: { content: 'a', reasoning_details: DETAILS },
    text: 'a',
    items: ['assistant: a']
  },
  {
    name: 'a refusal',
    message: { content: null, refusal: 'I can not.' },
    text: null,
    items: ['assistant: I can not.']
  },
  { name: 'audio', message: { content: null, audio: AUDIO }, text: null, items: ['assistant: Spoken'] },
  {
    name: 'parts',
    message: {
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' }
      ]
    },
    text: 'ab',
    items: ['assistant: ab']
  },
  {
    name: 'a custom tool',
    message: { content: null, tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'f', input: 'x' } }] },
    text: null,
    items: ['undefined: ']
  },
  {
    name: 'fields nobody knows',
    message: { content: 'a', x_new: { deep: [1, null, 1.5] } },
    text: 'a',
    items: ['assistant: a']
  }
]

for (const { name, message, text, items } of MESSAGES) {
  t.test(`an answer is kept whole and sent back as it was: ${name}`, async (t) => {
    const { create, say, turnsOf, itemsOf, call, sent, upstream } = await startStateful(t)
    const id = await create()
    const { script } = upstream
    upstream.script = (res) => sendJson(res, 200, completion(null, message))
    await say(id, 'Hi')
    upstream.script = script
    t.equal((await turnsOf(id))[0]?.assistant_text, text)
    t.strictSame(told((await itemsOf(id)).slice(1)), items)
    const { json } = await call('/chat/completions/chatcmpl-test')
    t.match(json.choices[0].message, message)
    await say(id, 'Next')
    const { audio } = message
    // Of spoken words the upstream needs the id alone.
    const again = audio ? { audio: { id: AUDIO.id } } : message
    t.match(sent().messages[1], { role: 'assistant', ...again })
  })
}

t.test('what a stream says in deltas nobody knows is kept', async (t) => {
  const { create, say, turnsOf, upstream } = await startStateful(t)
  const id = await create()
  upstream.script = (res) => {
    startSse(res)
    res.write(delta({ role: 'assistant', reasoning_content: 'h', x_new: 'a' }))
    res.write(delta({ reasoning_content: 'm', x_new: 'b' }))
    res.end(delta({ content: 'Hi' }) + finish() + DONE)
  }
  await say(id, 'Hi', { stream: true })
  t.match(await turnsOf(id), [
    { assistant_text: 'Hi', detail: { choices: [{ message: { reasoning_content: 'hm', x_new: 'ab' } }] } }
  ])
})

t.test('parts of a question are kept to the letter, and are items', async (t) => {
  const parts = [
    { type: 'text', text: 'Look' },
    { type: 'image_url', image_url: { url: 'https://a.test/i.png', detail: 'high' } },
    { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
    { type: 'file', file: { file_id: 'file_1' } },
    { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
    { type: 'x_new', x: 1 }
  ]
  const { create, say, turnsOf, itemsOf, sent } = await startStateful(t)
  const id = await create()
  await say(id, [user(parts)])
  await say(id, 'Next')
  t.strictSame(sent().messages[0], user(parts))
  t.match((await turnsOf(id))[0], { user_text: 'Look', detail: { input: [user(parts)] } })
  t.strictSame((await itemsOf(id, '&include=message.input_image.image_url'))[0]?.content, [
    { type: 'input_text', text: 'Look' },
    { type: 'input_image', image_url: 'https://a.test/i.png', detail: 'high' },
    parts[2],
    { type: 'input_file', file_id: 'file_1' },
    { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
    parts[5]
  ])
})

t.test('choices are told apart by their index, and usage is there where it was given', async (t) => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, x: { y: 1 } }
  const { chat, call, upstream, turnsOf } = await startStateful(t)
  const piece = (index: number, content: string, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ id: 'chatcmpl-n', model: 'm', choices: [{ index, delta: { content }, finish_reason }] })}\n\n`
  upstream.script = (res) => {
    startSse(res)
    res.write(
      piece(2, 'C') + piece(0, 'A') + piece(1, 'B', 'length') + piece(0, 'a', 'stop') + piece(2, 'c', 'stop')
    )
    res.end(`data: ${JSON.stringify({ id: 'chatcmpl-n', choices: [], usage })}\n\n${DONE}`)
  }
  const res = await chat({ n: 3, stream: true })
  await res.text()
  const { json } = await call('/chat/completions/chatcmpl-n')
  t.strictSame(
    json.choices.map((choice: JsonObject) => [
      choice.index,
      (choice.message as JsonObject).content,
      choice.finish_reason
    ]),
    [
      [0, 'Aa', 'stop'],
      [1, 'B', 'length'],
      [2, 'Cc', 'stop']
    ]
  )
  t.strictSame(json.usage, usage)
  t.match(await turnsOf(res.headers.get('x-conversation-id') ?? ''), [
    { assistant_text: 'Aa', finish_reason: 'stop' }
  ])
  upstream.script = (res) => sendJson(res, 200, completion('a'))
  await (await chat()).text()
  t.notOk('usage' in (await call('/chat/completions/chatcmpl-test')).json)
})
