import t, { type Test } from 'tap'
import { isErrorReply } from '../helper/request.ts'
import { startStateful, told } from '../helper/stateful.ts'

const user = (content: unknown) => ({ role: 'user', content })
const assistant = (content: unknown, more: object = {}) => ({ role: 'assistant', content, ...more })
const parts = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }))
const SYSTEM = { role: 'system', content: 'Be kind.' }
const HISTORY = [user('One\nline'), assistant('re: One\nline'), user('Two'), assistant('re: Two')]
const TOLD = ['user: One\nline', 'assistant: re: One\nline', 'user: Two', 'assistant: re: Two']

async function twoTurns(t: Test) {
  const running = await startStateful(t)
  const id = await running.create()
  await running.say(id, 'One\nline')
  await running.say(id, 'Two')
  return { ...running, id }
}

const RESENT: [name: string, messages: object[]][] = [
  ['nothing', [user('Three')]],
  ['the whole history', [...HISTORY, user('Three')]],
  ['its end', [...HISTORY.slice(2), user('Three')]],
  ['its last answer', [...HISTORY.slice(3), user('Three')]],
  ['its end, from an answer on', [...HISTORY.slice(1), user('Three')]],
  ['texts as parts', [user(parts('One\nline')), ...HISTORY.slice(1), user('Three')]],
  [
    'texts in several parts',
    [user(parts('One', '\nline')), assistant(parts('re: ', 'One\nline')), ...HISTORY.slice(2), user('Three')]
  ],
  [
    'CRLF, and blanks around',
    [user(' One\r\nline\r\n'), assistant('re: One\r\nline '), ...HISTORY.slice(2), user('Three')]
  ],
  [
    'fields that answers come with',
    [
      ...HISTORY.slice(0, 3),
      assistant('re: Two', { refusal: null, annotations: [], tool_calls: [] }),
      user('Three')
    ]
  ],
  [
    'reasoning beside the answer',
    [...HISTORY.slice(2, 3), assistant('re: Two', { reasoning_content: 'hm' }), user('Three')]
  ]
]

for (const [name, messages] of RESENT) {
  t.test(`what is sent again is not stored again: ${name}`, async (t) => {
    const { id, say, sent, turnsOf } = await twoTurns(t)
    t.equal((await say(id, messages)).status, 200)
    t.strictSame(told(sent().messages), [...TOLD, 'user: Three'])
    const turns = await turnsOf(id)
    t.equal(turns.length, 3)
    t.match(turns[2], { user_text: 'Three', detail: null })
  })
}

t.test('what is sent again may come behind the system prompt', async (t) => {
  const { id, say, sent, turnsOf } = await twoTurns(t)
  await say(id, [SYSTEM, ...HISTORY, user('Three')])
  t.strictSame(told(sent().messages), ['system: Be kind.', ...TOLD, 'user: Three'])
  t.strictSame((await turnsOf(id))[2]?.detail, { input: [SYSTEM, user('Three')] })
  await say(id, [SYSTEM, ...HISTORY, user('Three'), assistant('re: Three'), user('Four')])
  t.strictSame(told(sent().messages), [
    'system: Be kind.',
    ...TOLD,
    'user: Three',
    'assistant: re: Three',
    'user: Four'
  ])
  t.match((await turnsOf(id))[3], { user_text: 'Four', detail: null })
})

t.test('a person may say the same thing twice', async (t) => {
  const { id, say, sent, turnsOf } = await twoTurns(t)
  await say(id, 'Two')
  t.strictSame(told(sent().messages), [...TOLD, 'user: Two'])
  await say(id, [...HISTORY.slice(2), user('Two'), assistant('re: Two'), user('Two')])
  t.strictSame(told(sent().messages), [...TOLD, 'user: Two', 'assistant: re: Two', 'user: Two'])
  t.strictSame(
    (await turnsOf(id)).map((turn) => turn.user_text),
    ['One\nline', 'Two', 'Two', 'Two']
  )
})

t.test('what is not in the conversation is new, whatever it is', async (t) => {
  const { id, say, sent, turnsOf } = await twoTurns(t)
  const fresh = [user('Aside'), assistant('Ah'), user('Three')]
  await say(id, fresh)
  t.strictSame(sent().messages, [...HISTORY, ...fresh])
  t.match((await turnsOf(id))[2], { user_text: 'Aside\n\nThree', detail: { input: fresh } })
  await say(id, [...fresh, assistant('re: Three'), user('Four')])
  t.strictSame(told(sent().messages), [
    ...TOLD,
    'user: Aside',
    'assistant: Ah',
    'user: Three',
    'assistant: re: Three',
    'user: Four'
  ])
})

t.test('a request that says nothing new is a 400 that calls nobody', async (t) => {
  const { id, say, upstream, turnsOf } = await twoTurns(t)
  const calls = upstream.calls.length
  for (const messages of [HISTORY, HISTORY.slice(3), [SYSTEM, ...HISTORY], [SYSTEM]]) {
    const res = await say(id, messages)
    isErrorReply(t, res, 400, { code: 'invalid_value', param: 'messages' }, told(messages as never).join())
  }
  t.equal(upstream.calls.length, calls)
  t.equal((await turnsOf(id)).length, 2)
})

t.test('what is resent goes on as it is stored, and what is new to the letter', async (t) => {
  const { id, call, upstream } = await twoTurns(t)
  const old =
    '{"role":"user","content":[{"type":"text","text":"Two"}]} , {"role":"assistant","content":"re: Two","x":1.0}'
  const own = ' {"content":"Thr\\u0065e","role":"user","y":1.0}'
  await call('/chat/completions', { body: `{"conversation":"${id}","messages":[${old},${own}]}` })
  const front = HISTORY.map((message) => JSON.stringify(message)).join(',')
  t.equal(upstream.calls.at(-1)?.body, `{"messages":[${front},${own}]}`)
})
