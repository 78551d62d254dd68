import t, { type Test } from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { startStateful, told } from '../helper/stateful.ts'
import { calling, callTools, piecesOf, toolCall, toolResult } from '../helper/tools.ts'
import { delta, startSse } from '../helper/upstream.ts'

const user = (content: string) => ({ role: 'user', content })
const A = toolCall('call_a', 'weather', '{"city":"Köln"}')
const B = toolCall('call_b', 'time', '{}')
const MISSING = 'No result: the call was interrupted.'

/** A conversation whose only turn asks for tools. */
async function afterCalls(t: Test, calls = [A, B], settings: Record<string, string> = {}, more: object = {}) {
  const service = await startStateful(t, settings)
  const { create, say, upstream } = service
  const id = await create()
  const { script } = upstream
  upstream.script = callTools(...calls)
  await say(id, 'Hi', more)
  upstream.script = script
  return { ...service, id }
}

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(
    `${name}: the results of tools are a turn of their own, and the question is stored once`,
    async (t) => {
      for (const stream of [false, true]) {
        const { id, say, sent, turnsOf } = await afterCalls(
          t,
          [A, B],
          { DB_URL: await makePlace(t) },
          { stream }
        )
        const results = [toolResult('call_a'), toolResult('call_b')]
        const history = [user('Hi'), calling(A, B)]
        await say(id, [...history, ...results], { stream })
        t.strictSame(sent().messages, [...history, ...results])
        await say(id, 'Thanks')
        t.strictSame(told(sent().messages), [
          'user: Hi',
          'assistant:  +call_a +call_b',
          'tool: result of call_a',
          'tool: result of call_b',
          'assistant: re: result of call_b',
          'user: Thanks'
        ])
        t.match(await turnsOf(id), [
          {
            user_text: 'Hi',
            assistant_text: null,
            detail: { choices: [{ message: { tool_calls: [A, B] } }] }
          },
          { user_text: null, assistant_text: 're: result of call_b', detail: { input: results } },
          { user_text: 'Thanks', detail: null }
        ])
      }
    }
  )
}

t.test('the results alone will do', async (t) => {
  const { id, say, sent, turnsOf } = await afterCalls(t)
  await say(id, [toolResult('call_b'), toolResult('call_a')])
  t.strictSame(sent().messages, [user('Hi'), calling(A, B), toolResult('call_b'), toolResult('call_a')])
  t.equal((await turnsOf(id)).length, 2)
})

t.test('a call without a result gets one that says so, for the upstream alone', async (t) => {
  const cases: [messages: object[], sent: object[]][] = [
    [
      [user('Never mind')],
      [toolResult('call_a', MISSING), toolResult('call_b', MISSING), user('Never mind')]
    ],
    [[toolResult('call_b')], [toolResult('call_a', MISSING), toolResult('call_b')]],
    [
      [toolResult('call_a'), user('and')],
      [toolResult('call_b', MISSING), toolResult('call_a'), user('and')]
    ]
  ]
  for (const [messages, expected] of cases) {
    const { id, say, sent, turnsOf, itemsOf } = await afterCalls(t)
    await say(id, messages)
    t.strictSame(sent().messages, [user('Hi'), calling(A, B), ...expected])
    const kept = (await turnsOf(id)).at(-1)?.detail as { input?: object[] } | null
    t.strictSame(kept?.input ?? messages, messages)
    t.notMatch(JSON.stringify(await itemsOf(id)), MISSING, 'no item says it')
  }
})

t.test('the half of a call that an answer broke off in is not sent again, the whole one is', async (t) => {
  const { id, say, sent, upstream, turnsOf } = await afterCalls(t, [])
  const { script } = upstream
  const half = { index: 1, id: 'call_b', type: 'function', function: { name: 'time', arguments: '{"zo' } }
  upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'Let me see' }) + piecesOf([A]) + delta({ tool_calls: [half] }))
  }
  await say(id, 'Cut', { stream: true })
  upstream.script = script
  t.match((await turnsOf(id)).at(-1), {
    status: 'incomplete',
    detail: { choices: [{ message: { tool_calls: [A, half] } }] }
  })
  await say(id, 'Go on')
  const { messages } = sent()
  t.strictSame(messages.slice(-4), [
    user('Cut'),
    { role: 'assistant', content: 'Let me see', tool_calls: [A] },
    toolResult('call_a', MISSING),
    user('Go on')
  ])
})

t.test(
  'an answer that is half a call and nothing else is no history, and its question neither',
  async (t) => {
    const { create, say, sent, upstream } = await startStateful(t)
    const id = await create()
    const { script } = upstream
    const half = { index: 0, id: 'call_b', type: 'function', function: { name: 'time', arguments: '{"zo' } }
    upstream.script = (res) => {
      startSse(res)
      res.end(delta({ tool_calls: [half] }))
    }
    await say(id, 'Cut', { stream: true })
    upstream.script = script
    await say(id, 'Again')
    t.strictSame(sent().messages, [user('Again')])
  }
)

t.test('ids of calls may repeat, over time and in one answer', async (t) => {
  const same = toolCall('call_0', 'f')
  const { id, say, sent, upstream } = await afterCalls(t, [same, same])
  const { script } = upstream
  upstream.script = callTools(same)
  await say(id, [toolResult('call_0', '1'), toolResult('call_0', '2')])
  upstream.script = script
  await say(id, [toolResult('call_0', '3')])
  const all = [
    user('Hi'),
    calling(same, same),
    toolResult('call_0', '1'),
    toolResult('call_0', '2'),
    calling(same),
    toolResult('call_0', '3')
  ]
  t.strictSame(sent().messages, all)
  await say(id, [...all, { role: 'assistant', content: 're: 3' }, user('Thanks')])
  t.strictSame(sent().messages, [...all, { role: 'assistant', content: 're: 3' }, user('Thanks')])
})

t.test('a result whose call was deleted is not sent', async (t) => {
  const { id, say, sent, itemsOf, call } = await afterCalls(t)
  await say(id, [toolResult('call_a'), toolResult('call_b')])
  const gone = (await itemsOf(id)).find((item) => item.type === 'function_call' && item.call_id === 'call_a')
  await call(`/conversations/${id}/items/${gone?.id}`, { method: 'DELETE' })
  await say(id, 'Thanks')
  t.strictSame(told(sent().messages).slice(1, 3), ['assistant:  +call_b', 'tool: result of call_b'])
})
