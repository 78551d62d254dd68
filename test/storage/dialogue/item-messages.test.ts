import t from 'tap'
import type { JsonObject } from '../../../storage/contract.ts'
import { messagesOfItems } from '../../../storage/dialogue/item-messages.ts'
import { itemsOfMessage } from '../../../storage/dialogue/message-items.ts'

const call = (call_id: string) => ({ type: 'function_call', call_id, name: 'f', arguments: '{}' })
const toolCall = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })

const TABLE: [name: string, items: JsonObject[], messages: JsonObject[]][] = [
  ['nothing', [], []],
  ['a text', [{ role: 'user', content: 'a' }], [{ role: 'user', content: 'a' }]],
  [
    'a single part',
    [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'a' }] }],
    [{ role: 'user', content: 'a' }]
  ],
  ['no role', [{ content: 'a' }], [{ role: 'user', content: 'a' }]],
  ['no content', [{ role: 'user' }], [{ role: 'user', content: '' }]],
  ['a name', [{ role: 'user', content: 'a', name: 'n' }], [{ role: 'user', content: 'a', name: 'n' }]],
  [
    'parts',
    [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_image', image_url: 'u', detail: 'low' },
          { type: 'input_image', file_id: 'f' },
          { type: 'input_file', filename: 'n', file_data: 'd' },
          { type: 'x' }
        ]
      }
    ],
    [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image_url', image_url: { url: 'u', detail: 'low' } },
          { type: 'input_image', file_id: 'f' },
          { type: 'file', file: { filename: 'n', file_data: 'd' } },
          { type: 'x' }
        ]
      }
    ]
  ],
  [
    'an answer in parts',
    [
      {
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'a' },
          { type: 'output_text', text: 'b' }
        ]
      }
    ],
    [{ role: 'assistant', content: 'ab' }]
  ],
  [
    'a refusal',
    [{ role: 'assistant', content: [{ type: 'refusal', refusal: 'r' }] }],
    [{ role: 'assistant', content: null, refusal: 'r' }]
  ],
  [
    'a text and its calls',
    [{ role: 'assistant', content: 'a' }, call('c'), call('d')],
    [{ role: 'assistant', content: 'a', tool_calls: [toolCall('c'), toolCall('d')] }]
  ],
  [
    'calls alone',
    [{ role: 'user', content: 'a' }, call('c'), call('d')],
    [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: null, tool_calls: [toolCall('c'), toolCall('d')] }
    ]
  ],
  [
    'calls after a result',
    [call('c'), { type: 'function_call_output', call_id: 'c', output: 'r' }, call('d')],
    [
      { role: 'assistant', content: null, tool_calls: [toolCall('c')] },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
      { role: 'assistant', content: null, tool_calls: [toolCall('d')] }
    ]
  ],
  [
    'a custom tool',
    [
      { type: 'custom_tool_call', call_id: 'c', name: 'f', input: 'x' },
      { type: 'custom_tool_call_output', call_id: 'c', output: 'r' }
    ],
    [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'f', input: 'x' } }]
      },
      { role: 'tool', tool_call_id: 'c', content: 'r' }
    ]
  ],
  [
    'a result in parts',
    [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'r' }] }],
    [{ role: 'tool', tool_call_id: 'c', content: 'r' }]
  ],
  [
    'what a chat has no place for',
    [
      { type: 'reasoning', summary: [] },
      { type: 'web_search_call', id: 'w' },
      { role: 'user', content: 'a' }
    ],
    [{ role: 'user', content: 'a' }]
  ],
  [
    'reasoning between a text and its call',
    [{ role: 'assistant', content: 'a' }, { type: 'reasoning', summary: [] }, call('c')],
    [{ role: 'assistant', content: 'a', tool_calls: [toolCall('c')] }]
  ],
  [
    'what is said after a call stands with it, so that its result comes next',
    [call('c'), { role: 'assistant', content: 'a' }, { role: 'assistant', content: 'b' }],
    [{ role: 'assistant', content: 'a\n\nb', tool_calls: [toolCall('c')] }]
  ]
]

for (const [name, items, messages] of TABLE) {
  t.test(`items as messages: ${name}`, async (t) => {
    const before = JSON.stringify(items)
    t.strictSame(messagesOfItems(items), messages)
    t.equal(JSON.stringify(items), before, 'and the items are left as they were')
  })
}

t.test('messages that become items and messages again say the same', async (t) => {
  const messages: JsonObject[] = [
    { role: 'system', content: 's' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: { url: 'u', detail: 'auto' } }
      ]
    },
    { role: 'assistant', content: 'a', tool_calls: [toolCall('c'), toolCall('d')] },
    { role: 'tool', tool_call_id: 'c', content: 'r' },
    { role: 'tool', tool_call_id: 'd', content: '' },
    { role: 'assistant', content: null, refusal: 'no' }
  ]
  t.strictSame(messagesOfItems(messages.flatMap(itemsOfMessage)), messages)
})
