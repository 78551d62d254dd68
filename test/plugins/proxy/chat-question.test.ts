import t from 'tap'
import { readQuestion } from '../../../plugins/proxy/chat-question.ts'
import type { JsonObject } from '../../../storage/contract.ts'

const say = (role: string) => (content: string) => ({ role, content })
const [system, user, assistant] = [say('system'), say('user'), say('assistant')]
const CALL = { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function' }] }
const RESULT = { role: 'tool', tool_call_id: 'c', content: '7' }
const PARTS = {
  role: 'user',
  content: [
    { type: 'text', text: 'one' },
    { type: 'image_url', image_url: { url: 'data:' } },
    { type: 'text', text: 'two' }
  ]
}
const IMAGE = { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }
const NAMED = { role: 'user', content: 'a', name: 'Ann' }

interface Row {
  name: string
  messages: JsonObject[]
  text: string | null
  /** The messages that are kept verbatim; null for none. */
  started: JsonObject[] | null
  /** The same in a conversation that goes on. */
  goesOn: JsonObject[] | null
}

const ROWS: Row[] = [
  { name: 'one plain message', messages: [user('a')], text: 'a', started: null, goesOn: null },
  { name: 'an empty text', messages: [user('')], text: '', started: null, goesOn: null },
  {
    name: 'a system prompt first',
    messages: [system('s'), user('a')],
    text: 'a',
    started: [system('s'), user('a')],
    goesOn: [system('s'), user('a')]
  },
  {
    name: 'the history resent',
    messages: [system('s'), user('a'), assistant('b'), user('c')],
    text: 'c',
    started: [system('s'), user('a'), assistant('b'), user('c')],
    goesOn: null
  },
  {
    name: 'a longer history resent',
    messages: [user('a'), assistant('b'), user('c'), assistant('d'), user('e')],
    text: 'e',
    started: [user('a'), assistant('b'), user('c'), assistant('d'), user('e')],
    goesOn: null
  },
  {
    name: 'two new messages',
    messages: [user('a'), assistant('b'), user('c'), user('d')],
    text: 'c\n\nd',
    started: [user('a'), assistant('b'), user('c'), user('d')],
    goesOn: [user('c'), user('d')]
  },
  {
    name: 'a tool result',
    messages: [user('a'), CALL, RESULT],
    text: null,
    started: [user('a'), CALL, RESULT],
    goesOn: [RESULT]
  },
  {
    name: 'a tool result and a word with it',
    messages: [user('a'), CALL, RESULT, user('b')],
    text: 'b',
    started: [user('a'), CALL, RESULT, user('b')],
    goesOn: [RESULT, user('b')]
  },
  {
    name: 'a prefilled answer',
    messages: [user('a'), assistant('b'), user('c'), assistant('d')],
    text: 'c',
    started: [user('a'), assistant('b'), user('c'), assistant('d')],
    goesOn: [user('c'), assistant('d')]
  },
  {
    name: 'a prefilled answer to the first question',
    messages: [user('a'), assistant('b')],
    text: 'a',
    started: [user('a'), assistant('b')],
    goesOn: [user('a'), assistant('b')]
  },
  {
    name: 'answers alone',
    messages: [assistant('a'), assistant('b')],
    text: null,
    started: [assistant('a'), assistant('b')],
    goesOn: [assistant('a'), assistant('b')]
  },
  { name: 'content parts', messages: [PARTS], text: 'one\ntwo', started: [PARTS], goesOn: [PARTS] },
  { name: 'an image alone', messages: [IMAGE], text: null, started: [IMAGE], goesOn: [IMAGE] },
  { name: 'a name beside the text', messages: [NAMED], text: 'a', started: [NAMED], goesOn: [NAMED] },
  {
    name: 'NUL in the text',
    messages: [user('a\0')],
    text: 'a\0',
    started: [user('a\0')],
    goesOn: [user('a\0')]
  },
  {
    name: 'half a letter',
    messages: [user('\ud83d')],
    text: '\ud83d',
    started: [user('\ud83d')],
    goesOn: [user('\ud83d')]
  },
  {
    name: 'no content',
    messages: [{ role: 'user', content: null }],
    text: null,
    started: [{ role: 'user', content: null }],
    goesOn: [{ role: 'user', content: null }]
  },
  {
    name: 'a role nobody knows',
    messages: [say('critic')('a')],
    text: null,
    started: [say('critic')('a')],
    goesOn: [say('critic')('a')]
  }
]

for (const { name, messages, text, started, goesOn } of ROWS) {
  t.test(`what is new: ${name}`, async (t) => {
    t.strictSame(readQuestion(messages, 0), { userText: text, input: started && { input: started } })
    t.strictSame(readQuestion(messages, null), { userText: text, input: goesOn && { input: goesOn } })
  })
}
