import t from 'tap'
import type { JsonObject } from '../../../storage/contract.ts'
import { countResent, saySame } from '../../../storage/dialogue/resent.ts'

const user = (content: unknown) => ({ role: 'user', content }) as JsonObject
const answer = (content: unknown, more: object = {}) =>
  ({ role: 'assistant', content, ...more }) as JsonObject
const call = (id: string, args = '{}') => ({ id, type: 'function', function: { name: 'f', arguments: args } })
const callItem = (call_id: string, args = '{}') => ({
  type: 'function_call',
  call_id,
  name: 'f',
  arguments: args
})
const reasoning = { type: 'reasoning', summary: [] }
const text = (value: string) => [{ type: 'text', text: value }]
const image = (image_url: unknown, type = 'image_url') => ({ type, image_url }) as JsonObject
const H = [user('1'), answer('a'), user('2'), answer('b')]

const TABLE: [name: string, history: JsonObject[], given: JsonObject[], count: number][] = [
  ['nothing', H, [user('3')], 0],
  ['no history', [], [user('3')], 0],
  ['all of it', H, [...H, user('3')], 4],
  ['its end', H, [...H.slice(1), user('3')], 3],
  ['all of it and nothing more', H, H, 4],
  ['its beginning alone', H, H.slice(0, 2), 0],
  ['a part that is not its end', H, [...H.slice(0, 2), user('3')], 0],
  ['a message of the user alone', [...H, user('3')], [user('3')], 0],
  ['other words', H, [answer('c'), user('3')], 0],
  ['another role', H, [user('b'), user('3')], 0],
  [
    'the longest that fits',
    [user('1'), answer('a'), user('1'), answer('a')],
    [user('1'), answer('a'), user('1'), answer('a'), user('1')],
    4
  ],
  ['parts', H, [user(text('2')), answer(text('b')), user('3')], 2],
  ['line ends and blanks', [user('1\n2'), answer('a')], [user(' 1\r\n2\n'), answer('a\r\n'), user('3')], 2],
  ['reasoning that is missing', [user('1'), reasoning, answer('a')], [user('1'), answer('a'), user('2')], 2],
  [
    'reasoning that comes along',
    [user('1'), answer('a')],
    [user('1'), reasoning, answer('a'), reasoning, user('2')],
    4
  ],
  [
    'a call',
    [user('1'), answer(null, { tool_calls: [call('c')] })],
    [answer(null, { tool_calls: [call('c')] }), user('2')],
    1
  ],
  [
    'a call with other arguments',
    [answer(null, { tool_calls: [call('c')] })],
    [answer(null, { tool_calls: [call('c', '{"a":1}')] })],
    0
  ],
  [
    'a text and its call as items',
    [answer('a', { tool_calls: [call('c')] })],
    [answer('a'), callItem('c'), user('2')],
    2
  ],
  [
    'results',
    [answer('', { tool_calls: [call('c')] }), { role: 'tool', tool_call_id: 'c', content: 'r' }],
    [callItem('c'), { type: 'function_call_output', call_id: 'c', output: 'r' }, user('2')],
    2
  ],
  [
    'results of other calls',
    [answer('', { tool_calls: [call('c')] }), { role: 'tool', tool_call_id: 'c', content: 'r' }],
    [callItem('c'), { type: 'function_call_output', call_id: 'd', output: 'r' }],
    0
  ],
  [
    'a refusal',
    [answer(null, { refusal: 'no' })],
    [answer([{ type: 'refusal', refusal: 'no' }]), user('2')],
    1
  ],
  [
    'images by their address',
    [user([image({ url: 'u', detail: 'low' })]), answer('a')],
    [user([image('u', 'input_image')]), answer('a')],
    2
  ],
  ['other images', [user([image({ url: 'u' })]), answer('a')], [user([image({ url: 'v' })]), answer('a')], 0],
  ['an empty list', H, [], 0]
]

for (const [name, history, given, count] of TABLE) {
  t.test(`how much is sent again: ${name}`, async (t) => {
    t.equal(countResent(history, given), count)
  })
}

t.test('prompts say the same whichever of the two roles they have', async (t) => {
  const prompt = (role: string, content: unknown) => ({ role, content }) as JsonObject
  t.ok(saySame([], []))
  t.ok(saySame([prompt('system', 'a')], [prompt('developer', text(' a\r\n'))]))
  t.notOk(saySame([prompt('system', 'a')], [prompt('system', 'b')]))
  t.notOk(saySame([prompt('system', 'a')], [prompt('user', 'a')]))
  t.notOk(saySame([prompt('system', 'a')], []))
  t.notOk(
    saySame([prompt('system', 'a'), prompt('system', 'b')], [prompt('system', 'b'), prompt('system', 'a')])
  )
})
