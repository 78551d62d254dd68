import t from 'tap'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'
import { runExample } from '../helper/run-example.ts'

t.test('examples/curl.sh streams, continues, answers anew, finds, reads and deletes', async (t) => {
  const { url } = await startApp(t)
  const printed = await runExample(t, 'curl.sh', url)
  const [asked = '', continued = '', anew = '', found = '', turns = '', deleted = ''] = printed
    .split(/^== .*\n/m)
    .slice(1)
  t.match(asked, /^data: \{"id".*data: \[DONE\]\n/s, 'the first answer is a stream')
  for (const answer of [continued, anew]) {
    const { choices } = JSON.parse(answer) as { choices: [{ message: { content: string } }] }
    t.match(choices[0].message.content, 'You sent 3 messages; the last one says: “How long is it?”')
  }
  t.match(JSON.parse(found), { data: [{ title: 'Name a river in Norway.', last_seq: 3 }] })
  t.match(JSON.parse(turns), {
    data: [
      { seq: 1, parent_seq: 0, superseded: false, user_text: 'Name a river in Norway.' },
      { seq: 2, parent_seq: 1, superseded: true, user_text: 'How long is it?' },
      { seq: 3, parent_seq: 1, superseded: false, user_text: 'How long is it?' }
    ]
  })
  t.match(JSON.parse(deleted), { deleted: true })
  t.match((await request(`${url}/v1/conversations`)).json, { data: { length: 0 } }, 'nothing is left')
})

t.test('examples/curl.sh fails where a call fails', async (t) => {
  const { url } = await startApp(t, { AUTH: 'header' })
  await t.rejects(runExample(t, 'curl.sh', url), { message: /ended with 22:.*401/s })
})
