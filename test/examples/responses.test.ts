import t from 'tap'
import { startApp } from '../helper/app.ts'
import { runExample } from '../helper/run-example.ts'

t.test('examples/responses.mjs continues a response', async (t) => {
  const { url, turnsOf } = await startApp(t)
  const printed = await runExample(t, 'responses.mjs', url)
  t.match(printed, 'You sent 3 messages; the last one says: “How long is it?”')
  t.match(
    printed,
    /^sent: user: Name a .*\nsent: assistant: This is .*\nsent: user: How long is it\?\nboth are in/m
  )
  t.match(await turnsOf(/conv_\w+/.exec(printed)?.[0] ?? ''), [
    { seq: 1, kind: 'response', status: 'completed', user_text: 'Name a river in Norway.' },
    { seq: 2, parent_seq: 1, kind: 'response', status: 'completed', user_text: 'How long is it?' }
  ])
})
