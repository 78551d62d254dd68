import t from 'tap'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'
import { runExample } from '../helper/run-example.ts'

t.test('examples/client.mjs streams, ends with the stored turn, and pages', async (t) => {
  const { url } = await startApp(t)
  const printed = await runExample(t, 'client.mjs', url)
  t.match(printed, 'You sent 3 messages; the last one says: “How long is it?”')
  t.match(printed, /^turn 1 is stored: completed, \d{3} characters$/m)
  t.match(printed, /^turn 2 is stored: completed, \d{3} characters$/m)
  t.same(printed.slice(printed.indexOf('turn 3 ')).split('\n'), [
    'turn 3 replaces turn 2',
    'turn 1',
    'turn 2, superseded',
    '-- next page',
    'turn 3',
    '-- end',
    'found: Rivers, newest turn 3',
    ''
  ])
  t.match((await request(`${url}/v1/conversations`)).json, { data: { length: 0 } }, 'nothing is left')
})
