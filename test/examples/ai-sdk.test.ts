import t from 'tap'
import { startApp } from '../helper/app.ts'
import { runExample } from '../helper/run-example.ts'

t.test('examples/ai-sdk.mjs files both turns in one conversation', async (t) => {
  const { url, turnsOf } = await startApp(t)
  const printed = await runExample(t, 'ai-sdk.mjs', url)
  t.match(printed, 'You sent 3 messages; the last one says: “How long is it?”')
  const [, id = ''] = /^(conv_\w+) has 2 turns$/m.exec(printed) ?? []
  const turns = await turnsOf(id)
  t.match(turns, [
    { seq: 1, status: 'completed', user_text: 'Name a river in Norway.' },
    { seq: 2, parent_seq: 1, status: 'completed', user_text: 'How long is it?' }
  ])
  for (const { assistant_text } of turns) t.ok(printed.includes(assistant_text ?? 'none'))
})
