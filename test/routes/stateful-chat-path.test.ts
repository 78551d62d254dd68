import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { startStateful, told } from '../helper/stateful.ts'
import { delta, sendJson, startSse } from '../helper/upstream.ts'

t.test('failed and replaced turns are left out, and what broke off before it said anything', async (t) => {
  const { create, say, sent, upstream } = await startStateful(t)
  const id = await create()
  await say(id, 'One')
  await say(id, 'replaced')
  await say(id, 'Two', {}, { 'x-parent-seq': '1' })
  const { script } = upstream
  upstream.script = (res) => sendJson(res, 500, { error: { message: 'no' } })
  await say(id, 'failed')
  for (const said of [{ role: 'assistant', content: '' }, { content: 'half' }]) {
    upstream.script = (res) => {
      startSse(res)
      res.end(delta(said))
    }
    await say(id, 'cut', { stream: true })
  }
  upstream.script = script
  await say(id, 'Three')
  t.strictSame(told(sent().messages), [
    'user: One',
    'assistant: re: One',
    'user: Two',
    'assistant: re: Two',
    'user: cut',
    'assistant: half',
    'user: Three'
  ])
})

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: x-parent-seq edits a question: what came after it is not history any more`, async (t) => {
    const { create, say, sent, turnsOf, upstream } = await startStateful(t, { DB_URL: await makePlace(t) })
    const id = await create()
    for (const text of ['One', 'Two', 'Three']) await say(id, text)
    await say(id, 'Two, but other', {}, { 'x-parent-seq': '1' })
    t.strictSame(told(sent().messages), ['user: One', 'assistant: re: One', 'user: Two, but other'])
    await say(id, 'On')
    t.strictSame(told(sent().messages).slice(2), [
      'user: Two, but other',
      'assistant: re: Two, but other',
      'user: On'
    ])
    await say(id, 'Back', {}, { 'x-parent-seq': '3' })
    t.strictSame(
      told(sent().messages).filter((line) => line.startsWith('user')),
      ['user: One', 'user: Two', 'user: Three', 'user: Back'],
      'a turn that was replaced can be followed'
    )
    await say(id, 'New', {}, { 'x-parent-seq': '0' })
    t.strictSame(sent().messages, [{ role: 'user', content: 'New' }])
    t.strictSame(
      (await turnsOf(id)).map(({ seq, parent_seq, superseded }) => [seq, parent_seq, superseded]),
      [
        [1, 0, true],
        [2, 1, true],
        [3, 2, true],
        [4, 1, true],
        [5, 4, true],
        [6, 3, true],
        [7, 0, false]
      ]
    )
    const calls = upstream.calls.length
    const none = await say(id, 'Nowhere', {}, { 'x-parent-seq': '9' })
    isErrorReply(t, none, 400, { code: 'invalid_value', param: 'x-parent-seq' }, 'a parent that is not there')
    t.equal(upstream.calls.length, calls)
  })
}

type Message = { role: string; content: string }
const KIND: Message = { role: 'system', content: 'Be kind.' }
const BRIEF: Message = { role: 'system', content: 'Be brief.' }
const ask = (content: string): Message => ({ role: 'user', content })

t.test('the newest system prompt is in front, once', async (t) => {
  const { create, say, sent, turnsOf } = await startStateful(t)
  const id = await create()
  const front = () => told(sent().messages).filter((line) => !/^(user|assistant)/.test(line))
  const stored = async () => (await turnsOf(id)).at(-1)?.detail
  const steps: [messages: Message[], front: string[], stored: object | null][] = [
    [[KIND, ask('1')], ['system: Be kind.'], { input: [KIND, ask('1')] }],
    [[ask('2')], ['system: Be kind.'], null],
    [[KIND, ask('3')], ['system: Be kind.'], null],
    [[{ ...KIND, role: 'developer' }, ask('4')], ['developer: Be kind.'], null],
    [[BRIEF, ask('5')], ['system: Be brief.'], { input: [BRIEF, ask('5')] }],
    [[ask('6')], ['system: Be brief.'], null],
    [[KIND, BRIEF, ask('7')], ['system: Be kind.', 'system: Be brief.'], { input: [KIND, BRIEF, ask('7')] }],
    [[ask('8')], ['system: Be kind.', 'system: Be brief.'], null]
  ]
  for (const [messages, prompts, detail] of steps) {
    await say(id, messages)
    const name = messages.map(({ content }) => content).join(', ')
    t.strictSame(front(), prompts, `prompts sent with ${name}`)
    t.strictSame(
      sent()
        .messages.slice(0, prompts.length)
        .map(({ content }: Message) => content),
      prompts.map((line) => line.split(': ')[1])
    )
    t.strictSame(await stored(), detail, `stored of ${name}`)
  }
  t.equal(sent().messages.length, 2 + 2 * 7 + 1)
})

t.test('a system message in the middle of a dialogue stays there', async (t) => {
  const { create, say, sent } = await startStateful(t)
  const id = await create()
  await say(id, [KIND, ask('1'), BRIEF, ask('2')])
  await say(id, '3')
  t.strictSame(told(sent().messages), [
    'system: Be kind.',
    'user: 1',
    'system: Be brief.',
    'user: 2',
    'assistant: re: 2',
    'user: 3'
  ])
})
