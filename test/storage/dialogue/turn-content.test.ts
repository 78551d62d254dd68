import t from 'tap'
import {
  answerMessages,
  choicesOf,
  inputItems,
  inputMessages,
  outputItems
} from '../../../storage/dialogue/turn-content.ts'
import { turnWith } from '../../helper/turn.ts'

const CALL = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
const said = (text: string) => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }]
})

t.test('the texts of a chat are its question and its answer', async (t) => {
  const turn = turnWith({ userText: 'q', assistantText: 'a', finishReason: 'stop' })
  t.strictSame(inputMessages(turn), [{ role: 'user', content: 'q' }])
  t.strictSame(answerMessages(turn), [{ role: 'assistant', content: 'a' }])
  t.strictSame(choicesOf(turn), [
    { index: 0, message: { role: 'assistant', content: 'a' }, finishReason: 'stop' }
  ])
  t.strictSame(inputItems(turn), [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'q' }] }
  ])
  t.strictSame(outputItems(turn), [said('a')])
})

t.test('what the detail holds stands in place of the texts', async (t) => {
  const input = [
    { role: 'system', content: 's' },
    { role: 'user', content: 'q' }
  ]
  const turn = turnWith({ userText: 'other', detail: { input } })
  t.strictSame(inputMessages(turn), input)
  t.strictSame(inputMessages(turnWith({ userText: 'q', detail: { input: 'none' } })), [
    { role: 'user', content: 'q' }
  ])
})

t.test('an answer is its text and what the detail says besides', async (t) => {
  const choice = (index: number, message: object, finish_reason: string | null = 'stop') => ({
    index,
    message,
    finish_reason
  })
  const answer = (assistantText: string | null, ...choices: object[]) =>
    choicesOf(turnWith({ assistantText, finishReason: 'stop', detail: { choices } as never }))
  t.strictSame(answer('a', choice(0, { reasoning: 'r' }, 'length')), [
    { index: 0, message: { role: 'assistant', content: 'a', reasoning: 'r' }, finishReason: 'length' }
  ])
  t.strictSame(answer(null, choice(0, { tool_calls: [{ index: 0, ...CALL }] }, 'tool_calls')), [
    {
      index: 0,
      message: { role: 'assistant', content: null, tool_calls: [CALL] },
      finishReason: 'tool_calls'
    }
  ])
  t.strictSame(
    answer('a', choice(1, { content: 'b' }, null)).map(({ index, message, finishReason }) => [
      index,
      message.content,
      finishReason
    ]),
    [
      [0, 'a', 'stop'],
      [1, 'b', null]
    ]
  )
  t.strictSame(
    answer('a\ufffd', choice(0, { content: 'a\0' }))[0]?.message.content,
    'a\0',
    'text that no column holds'
  )
  t.strictSame(
    answerMessages(turnWith({ detail: { choices: [choice(1, { content: 'b' })] } as never })),
    [],
    'no first choice'
  )
  t.strictSame(answerMessages(turnWith({ status: 'failed' })), [])
})

t.test('the items of a response are those of its own output', async (t) => {
  const output = [{ type: 'reasoning', summary: [] }, said('a')]
  const turn = turnWith({
    kind: 'response',
    userText: 'q',
    assistantText: 'a',
    detail: { response: { output } } as never
  })
  t.strictSame(inputItems(turn), [{ role: 'user', content: 'q' }])
  t.strictSame(outputItems(turn), output)
  t.strictSame(answerMessages(turn), [{ role: 'assistant', content: 'a' }])
})

t.test('items that were added are kept with the gaps of those that were deleted', async (t) => {
  const detail = { input: [{ role: 'user', content: 'q' }, null], output: [null, said('a')] }
  const turn = turnWith({ kind: 'items', detail })
  t.strictSame(inputItems(turn), detail.input)
  t.strictSame(outputItems(turn), detail.output)
  t.strictSame(
    [...inputMessages(turn), ...answerMessages(turn)],
    [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' }
    ]
  )
  t.strictSame(outputItems(turnWith({ kind: 'items', assistantText: 'a' })), [
    { role: 'assistant', content: 'a' }
  ])
})
