import fc from 'fast-check'
import t from 'tap'
import type { Conversation, Turn } from '../../client/index.d.ts'
import { toJson, toMarkdown } from '../../console/text/export.js'
import { holds } from '../helper/property.ts'
import { turnOf } from './turn-of.ts'

const conversation = { id: 'conv_1', title: 'A title', pinned: false } as Conversation
const markdownOf = (...turns: Partial<Turn>[]) => toMarkdown(conversation, turns.map(turnOf))

t.test('JSON has everything as it was given', async (t) => {
  const turns = fc.array(fc.record({ user_text: fc.string(), detail: fc.jsonValue() }))
  await holds(
    t,
    fc.property(turns, (given) => {
      const text = toJson(conversation, given as unknown as Turn[])
      return text === `${JSON.stringify({ conversation, turns: given }, null, 2)}\n`
    }),
    100
  )
})

t.test('Markdown has what was said, by whom, and how it ended', (t) => {
  t.equal(
    markdownOf(
      { user_text: 'Hi', assistant_text: 'Hello' },
      { user_text: 'Gone', assistant_text: 'Gone', superseded: true },
      { user_text: 'And?', assistant_text: 'Well', status: 'incomplete', error: 'client_disconnect' }
    ),
    `# A title

## User

Hi

## Assistant

Hello

## User

And?

## Assistant

Well

*incomplete: client_disconnect*
`
  )
  t.equal(toMarkdown({ ...conversation, title: null }, []), '# Untitled\n')
  t.equal(toMarkdown({ ...conversation, title: 'a\n# b' }, []), '# a # b\n', 'a title is one line')
  t.end()
})

t.test('Markdown has thoughts, tools, pictures and files', (t) => {
  const call = { id: 'c', type: 'function', function: { name: 'look\nup', arguments: '```{}' } }
  const input = [
    { role: 'system', content: 'Be brief' },
    { role: 'tool', tool_call_id: 'c', content: 'found ```` it' },
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
        { type: 'image_url', image_url: { url: 'http://x.test/a b>.png' } },
        { type: 'file', file: { filename: 'a.pdf' } }
      ]
    }
  ]
  const message = { role: 'assistant', content: 'So', reasoning_content: 'one\ntwo', tool_calls: [call] }
  const text = markdownOf({ detail: { input, choices: [{ index: 0, message, finish_reason: 'stop' }] } })
  for (const expected of [
    '## System\n\nBe brief',
    '## Tool\n\n**Result**\n\n`````\nfound ```` it\n`````',
    '*An image*\n\n![image](<http://x.test/a%20b%3E.png>)\n\n*File: a.pdf*',
    '> one\n> two\n\nSo',
    '**Called look up**\n\n````json\n```{}\n````'
  ])
    t.ok(text.includes(expected), expected)
  t.end()
})

t.test('no tool can break out of its fence', async (t) => {
  const output = fc
    .array(fc.constantFrom('`', '``', '```', '````', '\n', 'x', '~~~'))
    .map((pieces) => pieces.join(''))
  await holds(
    t,
    fc.property(output, (content) => {
      const text = markdownOf({
        user_text: null,
        assistant_text: null,
        detail: { input: [{ role: 'tool', content }] }
      })
      const [, fence = '', rest = ''] = /\*\*Result\*\*\n\n(`+)\n([\s\S]*)$/.exec(text) ?? []
      return rest === `${content}\n${fence}\n` && !content.includes(fence)
    }),
    300
  )
})
