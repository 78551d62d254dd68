import t from 'tap'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'
import { runExample } from '../helper/run-example.ts'

t.test('examples/openai-sdk.mjs streams, continues and reads back', async (t) => {
  const { url } = await startApp(t)
  const printed = await runExample(t, 'openai-sdk.mjs', url)
  t.match(printed, 'You sent 1 message; the last one says: “Name a river in Norway.”')
  t.match(printed, 'You sent 3 messages; the last one says: “How long is it?”')
  const [, kept] = printed.split(/^(?=turn 1)/m)
  t.match(kept?.replaceAll(/chatcmpl-\w+, \d{3}/g, 'ID, N').split('\n'), [
    'turn 1, completed: Name a river in Norway.',
    'turn 2, completed: How long is it?',
    'conversation: Name a river in Norway.',
    'item: message of the user',
    'item: message of the assistant',
    'item: message of the user',
    'item: message of the assistant',
    'completion: ID, N characters',
    'completion: ID, N characters',
    'deleted: true',
    ''
  ])
  t.match((await request(`${url}/v1/conversations`)).json, { data: { length: 0 } }, 'nothing is left')
})
