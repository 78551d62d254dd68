import t from 'tap'
import type { Turn } from '../../storage/contract.ts'
import { isId } from '../../storage/ids.ts'
import { messagesToTurns, type Remark } from '../../storage/transfer/messages-to-turns.ts'
import type { OldMessage } from '../../storage/transfer/old-database.ts'

const CONVERSATION = { id: 'conv_x', oldId: 'c1', createdAt: 1_700_000_000_000 }
const LOST = { status: 'incomplete', error: 'server_lost' } as const

type Given = Partial<OldMessage> & { role: string }

function rows(given: Given[]): OldMessage[] {
  return given.map((row, index) => ({
    id: String(index + 1),
    status: 'final',
    content: null,
    contentJson: null,
    toolCalls: null,
    functionCall: null,
    toolCallId: null,
    finishReason: null,
    createdAt: 1_700_000_000 + index,
    ...row
  }))
}

const user = (content: string | null, more: Partial<OldMessage> = {}): Given => ({
  role: 'user',
  content,
  ...more
})
const answer = (content: string | null, more: Partial<OldMessage> = {}): Given => ({
  role: 'assistant',
  content,
  ...more
})
const CALLS = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }]
const PARTS = [
  { type: 'text', text: 'Look' },
  { type: 'image_url', image_url: { url: 'https://example.test/a.png' } }
]

interface Case {
  title: string
  given: Given[]
  /** What is not said is as in a plain completed turn. */
  turns: Partial<Turn>[]
  remarks?: Remark[]
}

const CASES: Case[] = [
  { title: 'no messages make no turns', given: [], turns: [] },
  {
    title: 'a question and its answer are a turn without detail',
    given: [user('Q'), answer('A', { finishReason: 'stop' })],
    turns: [{ userText: 'Q', assistantText: 'A', finishReason: 'stop' }]
  },
  {
    title: 'a question without an answer is an incomplete turn',
    given: [user('Q1'), user('Q2'), answer('A2'), user('Q3')],
    turns: [
      { userText: 'Q1', ...LOST },
      { userText: 'Q2', assistantText: 'A2' },
      { userText: 'Q3', ...LOST }
    ]
  },
  {
    title: 'an answer without a question is a turn with no input',
    given: [answer('Welcome'), user('Q'), answer('A')],
    turns: [
      { assistantText: 'Welcome', detail: { input: [] } },
      { userText: 'Q', assistantText: 'A' }
    ]
  },
  {
    title: 'a later answer follows the same parent and supersedes the earlier ones',
    given: [
      user('Q'),
      answer('A'),
      user('R'),
      answer('B1'),
      answer('B2'),
      answer('B3'),
      user('S'),
      answer('C')
    ],
    turns: [
      { userText: 'Q', assistantText: 'A' },
      { userText: 'R', assistantText: 'B1', superseded: true },
      { userText: 'R', assistantText: 'B2', superseded: true, parentSeq: 1 },
      { userText: 'R', assistantText: 'B3', parentSeq: 1 },
      { userText: 'S', assistantText: 'C' }
    ]
  },
  {
    title: 'a later answer that failed supersedes nothing',
    given: [user('Q'), answer('A1'), answer('A2', { status: 'error' })],
    turns: [
      { userText: 'Q', assistantText: 'A1' },
      {
        userText: 'Q',
        assistantText: 'A2',
        parentSeq: 0,
        status: 'incomplete',
        error: 'upstream_truncated'
      }
    ]
  },
  {
    title: 'tool calls are in choices, their results the input of the next turn',
    given: [
      user('Q'),
      answer(null, { toolCalls: JSON.stringify(CALLS), finishReason: 'tool_calls' }),
      { role: 'tool', content: '42' },
      answer('A')
    ],
    turns: [
      {
        userText: 'Q',
        finishReason: 'tool_calls',
        detail: {
          choices: [{ index: 0, message: { content: null, tool_calls: CALLS }, finish_reason: 'tool_calls' }]
        }
      },
      { assistantText: 'A', detail: { input: [{ role: 'tool', tool_call_id: 'call_1', content: '42' }] } }
    ]
  },
  {
    title: 'a tool result that names its call keeps that name, one that has none is remarked',
    given: [
      user('Q'),
      answer('Wait', { toolCalls: JSON.stringify(CALLS) }),
      { role: 'tool', content: 'a', contentJson: '{"tool_call_id":"call_9"}' },
      { role: 'tool', content: 'b' },
      { role: 'tool', content: 'c' },
      answer('A')
    ],
    turns: [
      {
        userText: 'Q',
        assistantText: 'Wait',
        detail: { choices: [{ index: 0, message: { tool_calls: CALLS }, finish_reason: null }] }
      },
      {
        assistantText: 'A',
        detail: {
          input: [
            { role: 'tool', tool_call_id: 'call_9', content: 'a' },
            { role: 'tool', tool_call_id: 'call_1', content: 'b' },
            { role: 'tool', content: 'c' }
          ],
          imported: [{ id: '3', content_json: { tool_call_id: 'call_9' } }]
        }
      }
    ],
    remarks: [{ id: '5', about: 'tool result' }]
  },
  {
    title: 'an answer after a tool call without a result goes on, it does not replace the call',
    given: [user('Q'), answer(null, { functionCall: '{"name":"f","arguments":"{}"}' }), answer('A')],
    turns: [
      {
        userText: 'Q',
        detail: {
          choices: [
            {
              index: 0,
              message: { content: null, function_call: { name: 'f', arguments: '{}' } },
              finish_reason: null
            }
          ]
        }
      },
      { assistantText: 'A', detail: { input: [] } }
    ]
  },
  {
    title: 'a system message is input of the turn that follows',
    given: [{ role: 'system', content: 'Be brief' }, user('Q'), answer('A')],
    turns: [
      {
        userText: 'Q',
        assistantText: 'A',
        detail: {
          input: [
            { role: 'system', content: 'Be brief' },
            { role: 'user', content: 'Q' }
          ]
        }
      }
    ]
  },
  {
    title: 'a system message or tool result at the very end is an incomplete turn',
    given: [user('Q'), answer('A'), { role: 'system', content: 'Stop' }],
    turns: [
      { userText: 'Q', assistantText: 'A' },
      { ...LOST, detail: { input: [{ role: 'system', content: 'Stop' }] } }
    ]
  },
  {
    title: 'a half-written draft is incomplete with the text so far',
    given: [
      user('Q'),
      answer('Half', { status: 'streaming' }),
      user('R'),
      answer('', { status: 'streaming' })
    ],
    turns: [
      { userText: 'Q', assistantText: 'Half', ...LOST },
      { userText: 'R', assistantText: '', ...LOST }
    ]
  },
  {
    title: 'an answer in error is truncated when it has a text, and failed when it has none',
    given: [user('Q'), answer('Half', { status: 'error' }), user('R'), answer(null, { status: 'error' })],
    turns: [
      { userText: 'Q', assistantText: 'Half', status: 'incomplete', error: 'upstream_truncated' },
      { userText: 'R', status: 'failed', error: 'upstream_error' }
    ]
  },
  {
    title: 'content_json of both sides is kept as it is',
    given: [
      user('Look', { contentJson: JSON.stringify(PARTS) }),
      answer('Seen', { contentJson: JSON.stringify(PARTS) })
    ],
    turns: [
      {
        userText: 'Look',
        assistantText: 'Seen',
        detail: {
          input: [{ role: 'user', content: PARTS }],
          choices: [{ index: 0, message: { content: PARTS }, finish_reason: null }]
        }
      }
    ]
  },
  {
    title: 'the text is that of content_json where content is empty',
    given: [
      user(null, { contentJson: JSON.stringify(PARTS) }),
      answer('', { contentJson: '[{"type":"text","text":"Yes"}]' })
    ],
    turns: [
      {
        userText: 'Look',
        assistantText: 'Yes',
        detail: {
          input: [{ role: 'user', content: PARTS }],
          choices: [{ index: 0, message: { content: [{ type: 'text', text: 'Yes' }] }, finish_reason: null }]
        }
      }
    ]
  },
  {
    title: 'content_json that is no content goes to imported',
    given: [user('Q', { contentJson: '{"a":1}' }), answer('A', { contentJson: '{"b":2}' })],
    turns: [
      {
        userText: 'Q',
        assistantText: 'A',
        detail: {
          imported: [
            { id: '1', content_json: { a: 1 } },
            { id: '2', content_json: { b: 2 } }
          ]
        }
      }
    ]
  },
  {
    title: 'a column that holds no JSON is kept as text and remarked',
    given: [user('Q'), answer('A', { toolCalls: '[{' })],
    turns: [{ userText: 'Q', assistantText: 'A', detail: { imported: [{ id: '2', tool_calls: '[{' }] } }],
    remarks: [{ id: '2', about: 'json' }]
  },
  {
    title: 'a text that a store cannot hold is exact in detail',
    given: [user('a\0b'), answer('c\0d')],
    turns: [
      {
        userText: 'a\0b',
        assistantText: 'c\0d',
        detail: {
          input: [{ role: 'user', content: 'a\0b' }],
          choices: [{ index: 0, message: { content: 'c\0d' }, finish_reason: null }]
        }
      }
    ]
  },
  {
    title: 'an unknown status is incomplete, a missing one final, and both are kept',
    given: [user('Q'), answer('A', { status: 'odd' }), user('R'), answer('B', { status: null })],
    turns: [
      { userText: 'Q', assistantText: 'A', ...LOST },
      { userText: 'R', assistantText: 'B' }
    ],
    remarks: [{ id: '2', about: 'status' }]
  },
  {
    title: 'an unknown role is not placed, and the rest is',
    given: [user('Q'), { role: 'critic', content: 'Hm' }, answer('A')],
    turns: [{ userText: 'Q', assistantText: 'A' }],
    remarks: [{ id: '2', about: 'role' }]
  },
  {
    title: 'an instant that cannot be read is that of the message before',
    given: [user('Q', { createdAt: 'soon' }), answer('A'), user('R', { createdAt: null }), answer('B')],
    turns: [
      { userText: 'Q', assistantText: 'A', createdAt: CONVERSATION.createdAt },
      { userText: 'R', assistantText: 'B', createdAt: 1_700_000_001_000 }
    ],
    remarks: [
      { id: '1', about: 'instant' },
      { id: '3', about: 'instant' }
    ]
  }
]

for (const { title, given, turns: expected, remarks = [] } of CASES) {
  t.test(title, async (t) => {
    const made = messagesToTurns(CONVERSATION, rows(given))
    t.same(made.remarks, remarks)
    t.equal(made.turns.length, expected.length)
    for (const [index, turn] of made.turns.entries()) {
      const { id, createdAt, ...rest } = turn
      t.ok(isId('turn', id), 'an id in our form')
      t.strictSame(expected[index]?.createdAt ?? createdAt, createdAt)
      const { createdAt: _, ...said } = expected[index] ?? {}
      t.strictSame(rest, {
        conversationId: CONVERSATION.id,
        seq: index + 1,
        parentSeq: index,
        attempt: 1,
        kind: 'chat',
        superseded: false,
        model: null,
        metadata: {},
        userText: null,
        assistantText: null,
        status: 'completed',
        finishReason: null,
        error: null,
        completionId: null,
        detail: null,
        ...said
      })
    }
    t.equal(new Set(made.turns.map(({ id }) => id)).size, expected.length, 'no id twice')
    t.strictSame(messagesToTurns(CONVERSATION, rows(given)), made, 'the same again')
  })
}
