import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { startStateful, told } from '../helper/stateful.ts'
import { calling, callTools, toolCall, toolResult } from '../helper/tools.ts'

const user = (content: unknown) => ({ role: 'user', content })
const A = toolCall('call_a', 'weather', '{"city":"Köln 😀"}')
const B = toolCall('call_b', 'time', '{"zone":"CET"}')

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: a tool loop of a client with its own history is a turn per model call`, async (t) => {
    const { chat, turnsOf, upstream, itemsOf, call } = await startStateful(t, { DB_URL: await makePlace(t) })
    const { script } = upstream
    const ask = async (messages: object[], headers: Record<string, string> = {}) => {
      const res = await chat({ messages, stream: true }, headers)
      await res.text()
      return { 'x-conversation-id': res.headers.get('x-conversation-id') ?? '' }
    }
    upstream.script = callTools(A, B)
    const to = await ask([user('Hi')])
    upstream.script = callTools(A)
    const once = [user('Hi'), calling(A, B), toolResult('call_a'), toolResult('call_b')]
    await ask(once, to)
    upstream.script = script
    await ask([...once, calling(A), toolResult('call_a', 'again')], to)
    const id = to['x-conversation-id']
    t.match(await turnsOf(id), [
      {
        seq: 1,
        user_text: 'Hi',
        assistant_text: null,
        detail: { choices: [{ message: { tool_calls: [A, B] }, finish_reason: 'tool_calls' }] }
      },
      {
        seq: 2,
        user_text: null,
        detail: {
          input: [toolResult('call_a'), toolResult('call_b')],
          choices: [{ message: { tool_calls: [A] } }]
        }
      },
      {
        seq: 3,
        user_text: null,
        assistant_text: 're: again',
        detail: { input: [toolResult('call_a', 'again')] }
      }
    ])
    t.strictSame(told(await itemsOf(id)), [
      'user: Hi',
      'call: weather',
      'call: time',
      'result: result of call_a',
      'result: result of call_b',
      'call: weather',
      'result: again',
      'assistant: re: again'
    ])
    const [, first] = await itemsOf(id)
    t.match(first, { id: /^fc_/, call_id: 'call_a', arguments: A.function.arguments, status: 'completed' })
    const { data } = (await call('/chat/completions')).json
    t.strictSame(data[0].choices[0].message.tool_calls, [A, B])
  })
}
