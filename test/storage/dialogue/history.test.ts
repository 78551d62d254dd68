import t from 'tap'
import type { JsonObject } from '../../../storage/contract.ts'
import { sendableItems, sendableMessages } from '../../../storage/dialogue/call-results.ts'
import { chatHistory, itemHistory, splitPrompt } from '../../../storage/dialogue/history.ts'
import { turnWith } from '../../helper/turn.ts'

const NO_RESULT = 'No result: the call was interrupted.'
const user = (content: string) => ({ role: 'user', content })
const toolCall = (id: string, args = '{}') => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: args }
})
const calls = (...ids: string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => toolCall(id))
})
const result = (id: string, content = 'r') => ({ role: 'tool', tool_call_id: id, content })
const missing = (id: string) => result(id, NO_RESULT)
const item = (call_id: string, more: object = {}) => ({
  type: 'function_call',
  call_id,
  name: 'f',
  arguments: '{}',
  ...more
})
const output = (call_id: string, text = 'r') => ({ type: 'function_call_output', call_id, output: text })

t.test('the newest system prompt counts, and turns that said something', async (t) => {
  const prompted = (content: string, text: string) =>
    turnWith({ detail: { input: [{ role: 'system', content }, user(text)] }, assistantText: 'a' })
  const { system, dialogue } = chatHistory([
    prompted('s1', '1'),
    prompted('s2', '2'),
    turnWith({ userText: '3', assistantText: 'a' }),
    turnWith({ userText: 'failed', status: 'failed' }),
    turnWith({ userText: 'running', status: 'in_progress' }),
    turnWith({ userText: 'cut', status: 'incomplete' }),
    turnWith({ userText: 'half', assistantText: 'ha', status: 'incomplete' }),
    turnWith({ userText: 'silent', assistantText: null })
  ])
  t.strictSame(system, [{ role: 'system', content: 's2' }])
  t.strictSame(
    dialogue.filter(({ role }) => role === 'user').map(({ content }) => content),
    ['1', '2', '3', 'half', 'silent']
  )
  t.strictSame(dialogue.at(-1), user('silent'))
})

t.test('the prompt is what stands before all else', async (t) => {
  const s = { role: 'system', content: 's' }
  const d = { role: 'developer', content: 'd' }
  t.strictSame(splitPrompt([s, d, user('1'), s]), [
    [s, d],
    [user('1'), s]
  ])
  t.strictSame(splitPrompt([s]), [[s], []])
  t.strictSame(splitPrompt([user('1')]), [[], [user('1')]])
})

t.test('half a call is left out, in messages and in items', async (t) => {
  const choices = (...args: string[]) => [
    { index: 0, message: { tool_calls: args.map((text, i) => toolCall(`c${i}`, text)) } }
  ]
  const cut = (...args: string[]) =>
    turnWith({ userText: '1', status: 'incomplete', detail: { choices: choices(...args) } as never })
  t.strictSame(chatHistory([cut('{}', '', '{"a"')]).dialogue[1]?.tool_calls, [
    toolCall('c0', '{}'),
    toolCall('c1', '')
  ])
  t.strictSame(chatHistory([cut('{"a"')]).dialogue, [])
  t.match(itemHistory([cut('{}', '{"a"')]), [{ role: 'user' }, { call_id: 'c0' }])
  t.equal(itemHistory([cut('{}', '{"a"')]).length, 2)
  t.strictSame(itemHistory([cut('{"a"')]), [])
})

t.test('reasoning goes back where its maker can read it', async (t) => {
  const open = { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'r' }] }
  const sealed = { type: 'reasoning', summary: [], encrypted_content: 'gAAA' }
  const bare = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 's' }] }
  const detail = { response: { output: [open, sealed, bare, item('c')] } } as never
  t.strictSame(itemHistory([turnWith({ kind: 'response', userText: '1', detail })]).slice(1), [
    open,
    sealed,
    item('c')
  ])
  const chat = turnWith({
    userText: '1',
    assistantText: 'a',
    detail: { choices: [{ index: 0, message: { reasoning: 'r' } }] } as never
  })
  t.match(itemHistory([chat]), [{ role: 'user' }, { role: 'assistant' }])
})

const MESSAGES: [name: string, dialogue: JsonObject[], next: JsonObject[], sent: JsonObject[]][] = [
  [
    'every call has its result',
    [calls('a', 'b'), result('b'), result('a')],
    [user('1')],
    [calls('a', 'b'), result('b'), result('a')]
  ],
  ['no call has', [calls('a', 'b')], [user('1')], [calls('a', 'b'), missing('a'), missing('b')]],
  [
    'one has',
    [calls('a', 'b'), result('a'), user('1')],
    [],
    [calls('a', 'b'), result('a'), missing('b'), user('1')]
  ],
  ['the results come next', [calls('a', 'b')], [result('b'), result('a')], [calls('a', 'b')]],
  ['one of them comes next', [calls('a', 'b')], [result('b'), user('1')], [calls('a', 'b'), missing('a')]],
  ['it would come too late', [calls('a')], [user('1'), result('a')], [calls('a'), missing('a')]],
  [
    'calls follow on calls',
    [calls('a'), calls('b')],
    [],
    [calls('a'), missing('a'), calls('b'), missing('b')]
  ],
  ['a result has no call', [user('1'), result('a')], [], [user('1')]],
  ['a result comes twice', [calls('a'), result('a'), result('a')], [], [calls('a'), result('a')]],
  ['ids repeat in an answer', [calls('a', 'a'), result('a')], [result('a')], [calls('a', 'a'), result('a')]],
  [
    'ids repeat over time',
    [calls('a'), result('a'), calls('a')],
    [user('1')],
    [calls('a'), result('a'), calls('a'), missing('a')]
  ]
]
for (const [name, dialogue, next, sent] of MESSAGES) {
  t.test(`messages are sent as upstreams take them: ${name}`, async (t) => {
    t.strictSame(sendableMessages(dialogue, next), sent)
  })
}

const ITEMS: [name: string, items: JsonObject[], next: JsonObject[], sent: JsonObject[]][] = [
  [
    'every call has its output',
    [item('a'), item('b'), output('a'), output('b')],
    [],
    [item('a'), item('b'), output('a'), output('b')]
  ],
  ['none has', [item('a'), user('1')], [], [item('a'), output('a', NO_RESULT), user('1')]],
  [
    'an answer stands between',
    [item('a'), { role: 'assistant', content: 'x' }, output('a')],
    [],
    [item('a'), { role: 'assistant', content: 'x' }, output('a')]
  ],
  ['it comes next', [item('a')], [output('a')], [item('a')]],
  ['an output has no call', [output('a'), user('1')], [], [user('1')]],
  [
    'a custom tool',
    [item('a', { type: 'custom_tool_call' })],
    [user('1')],
    [
      item('a', { type: 'custom_tool_call' }),
      { type: 'custom_tool_call_output', call_id: 'a', output: NO_RESULT }
    ]
  ]
]
for (const [name, items, next, sent] of ITEMS) {
  t.test(`items are sent as upstreams take them: ${name}`, async (t) => {
    t.strictSame(sendableItems(items, next), sent)
  })
}

t.test('of two calls with one id, only the one without a result gets one made up', async (t) => {
  const calls = { role: 'assistant', content: null, tool_calls: [toolCall('c'), toolCall('c')] }
  const result = { role: 'tool', tool_call_id: 'c', content: 'r' }
  const missing = { role: 'tool', tool_call_id: 'c', content: NO_RESULT }
  t.strictSame(sendableMessages([calls], [result]), [calls, missing])
  t.strictSame(sendableMessages([calls], [result, result]), [calls])
  t.strictSame(sendableMessages([calls, result], []), [calls, result, missing])
  t.strictSame(sendableMessages([calls, result], [user('x')]), [calls, result, missing])
})
