import t from 'tap'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'
import { runExample } from '../helper/run-example.ts'

t.test('examples/langchain.mjs files both turns in one conversation', async (t) => {
  const { url, turnsOf } = await startApp(t)
  const printed = await runExample(t, 'langchain.mjs', url)
  t.match(printed, 'You sent 3 messages; the last one says: “How long is it?”')
  t.match(printed, /\nturn 1: Name a river in Norway\.\nturn 2: How long is it\?\n$/)
  const { data } = (await request(`${url}/v1/conversations`)).json
  t.equal(data.length, 1)
  const turns = await turnsOf(data[0].id)
  t.match(turns, [{ status: 'completed' }, { status: 'completed', parent_seq: 1 }])
  for (const { assistant_text } of turns) t.ok(printed.includes(assistant_text ?? 'none'))
})
