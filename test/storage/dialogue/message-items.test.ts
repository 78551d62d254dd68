import t from 'tap'
import type { JsonObject } from '../../../storage/contract.ts'
import { itemsOfMessage } from '../../../storage/dialogue/message-items.ts'

const output = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] })
const said = (...content: JsonObject[]) => ({ type: 'message', role: 'assistant', content })
const thought = (text: string) => ({
  type: 'reasoning',
  summary: [],
  content: [{ type: 'reasoning_text', text }]
})
const call = (call_id: string | null, name = 'f', args = '{}') => ({
  type: 'function_call',
  call_id,
  name,
  arguments: args
})

const TABLE: [name: string, message: JsonObject, items: JsonObject[]][] = [
  [
    'a text',
    { role: 'user', content: 'a' },
    [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] }]
  ],
  ['an empty text', { role: 'user', content: '' }, [{ type: 'message', role: 'user', content: [] }]],
  ['no content', { role: 'user' }, [{ type: 'message', role: 'user', content: [] }]],
  [
    'a name',
    { role: 'user', content: 'a', name: 'n' },
    [{ type: 'message', role: 'user', name: 'n', content: [{ type: 'input_text', text: 'a' }] }]
  ],
  [
    'a system prompt',
    { role: 'system', content: 'a' },
    [{ type: 'message', role: 'system', content: [{ type: 'input_text', text: 'a' }] }]
  ],
  [
    'parts',
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: { url: 'u' } },
        { type: 'file', file: { file_id: 'f' } },
        { type: 'x' },
        7
      ]
    },
    [
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_image', image_url: 'u', detail: 'auto' },
          { type: 'input_file', file_id: 'f' },
          { type: 'x' },
          { type: 'input_text', text: '7' }
        ]
      }
    ]
  ],
  ['an answer', { role: 'assistant', content: 'a' }, [said(output('a'))]],
  [
    'an answer in parts',
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'a' },
        { type: 'refusal', refusal: 'r' }
      ]
    },
    [said(output('a'), { type: 'refusal', refusal: 'r' })]
  ],
  ['an empty answer', { role: 'assistant', content: '' }, []],
  ['no answer', { role: 'assistant', content: null }, []],
  [
    'a refusal',
    { role: 'assistant', content: null, refusal: 'r' },
    [said({ type: 'refusal', refusal: 'r' })]
  ],
  ['spoken words', { role: 'assistant', content: null, audio: { transcript: 't' } }, [said(output('t'))]],
  [
    'annotations',
    { role: 'assistant', content: 'a', annotations: [{ type: 'url_citation' }] },
    [said({ ...output('a'), annotations: [{ type: 'url_citation' }] })]
  ],
  [
    'reasoning_content',
    { role: 'assistant', content: 'a', reasoning_content: 'r' },
    [thought('r'), said(output('a'))]
  ],
  ['reasoning', { role: 'assistant', reasoning: 'r' }, [thought('r')]],
  [
    'reasoning_details',
    { role: 'assistant', reasoning_details: [{ text: 'r' }, { text: 's' }] },
    [thought('rs')]
  ],
  [
    'reasoning that says nothing',
    { role: 'assistant', content: 'a', reasoning_content: '', reasoning_details: [] },
    [said(output('a'))]
  ],
  [
    'calls behind the text',
    {
      role: 'assistant',
      content: 'a',
      tool_calls: [
        { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } },
        { id: 'd', type: 'custom', custom: { name: 'g', input: 'x' } },
        7
      ]
    },
    [said(output('a')), call('c'), { type: 'custom_tool_call', call_id: 'd', name: 'g', input: 'x' }]
  ],
  [
    'a call of which little came',
    { role: 'assistant', tool_calls: [{ function: {} }, {}] },
    [call(null, '', ''), call(null, '', '')]
  ],
  [
    'a call of old',
    { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
    [call('f')]
  ],
  [
    'a result',
    { role: 'tool', tool_call_id: 'c', content: 'r' },
    [{ type: 'function_call_output', call_id: 'c', output: 'r' }]
  ],
  [
    'a result in parts',
    { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: 'r' }] },
    [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'r' }] }]
  ],
  [
    'a result of old',
    { role: 'function', name: 'f', content: 'r' },
    [{ type: 'function_call_output', call_id: 'f', output: 'r' }]
  ]
]

for (const [name, message, items] of TABLE) {
  t.test(`a message as items: ${name}`, async (t) => {
    const before = JSON.stringify(message)
    t.strictSame(itemsOfMessage(message), items)
    t.equal(JSON.stringify(message), before, 'and the message is left as it was')
  })
}
