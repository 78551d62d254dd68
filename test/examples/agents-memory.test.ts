import t from 'tap'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'
import { runExample } from '../helper/run-example.ts'
import { startUpstream } from '../helper/upstream.ts'
import { model, TOOL_ROUND } from '../integration/clients/model.ts'

t.test('examples/agents-memory.mjs calls its tool, and a second process remembers the call', async (t) => {
  const faults: string[] = []
  const upstream = await startUpstream(t, model(faults, ...TOOL_ROUND, { text: 'It was Oslo.' }))
  const { url, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })

  const first = await runExample(t, 'agents-memory.mjs', url)
  t.match(first, /^memory: 0 turns in conv_\w+\ntool: the weather in Oslo\nSeven degrees in Oslo\.\n$/)
  const second = await runExample(t, 'agents-memory.mjs', url, 'Which city was it?')
  t.match(second, /^memory: 2 turns in conv_\w+\nIt was Oslo\.\n$/)

  const sent = upstream.calls.map(({ body }) => JSON.parse(body) as { input: object[]; instructions: string })
  t.match(sent[2], {
    instructions: 'Be brief.',
    input: [
      { role: 'user', content: 'How warm is it in Oslo?' },
      { type: 'function_call', name: 'weather', arguments: '{"city":"Oslo"}', call_id: 'call_oslo' },
      { type: 'function_call_output', call_id: 'call_oslo' },
      { role: 'assistant' },
      { role: 'user', content: 'Which city was it?' }
    ]
  })
  t.same(faults, [], 'the upstream has nothing to complain about')

  const { data } = (await request(`${url}/v1/conversations`)).json
  t.equal(data.length, 1)
  t.match(await turnsOf(data[0].id), [
    { user_text: 'How warm is it in Oslo?', assistant_text: null },
    { user_text: null, assistant_text: 'Seven degrees in Oslo.' },
    { user_text: 'Which city was it?', assistant_text: 'It was Oslo.' }
  ])
})

t.test('examples/agents-memory.mjs works over the built-in demo, which calls no tool', async (t) => {
  const { url } = await startApp(t)
  t.match(await runExample(t, 'agents-memory.mjs', url), 'the last one says: “How warm is it in Oslo?”')
  t.match(await runExample(t, 'agents-memory.mjs', url, 'And?'), /^memory: 1 turns.*You sent 4 messages/s)
})
