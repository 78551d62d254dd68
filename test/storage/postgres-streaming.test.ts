import t from 'tap'
import { startApp } from '../helper/app.ts'
import { eventually, gate } from '../helper/endings.ts'
import { startDatabase } from '../helper/postgres.ts'
import { connect, connections } from '../helper/postgres-client.ts'
import { DONE, delta, finish, startSse, startUpstream } from '../helper/upstream.ts'
import { seqs } from './contract/rows.ts'

const STREAMS = 30 // three times the connections that there are

t.test('no connection is held while answers stream', async (t) => {
  const dbUrl = await startDatabase()
  const ending = gate()
  let beginnings = 0
  const upstream = await startUpstream(t, async (res) => {
    beginnings += 1
    startSse(res)
    const timer = setInterval(() => res.write(delta({ content: '.' })), 20)
    await ending.opened
    clearInterval(timer)
    res.end(finish() + DONE)
  })
  const { app, chat, endedTurn } = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: dbUrl })
  const client = await connect(t, dbUrl)
  const answers = await Promise.all(seqs(STREAMS).map(() => chat({ stream: true })))
  const texts = answers.map((res) => res.text())
  await eventually('all stream', () => beginnings === STREAMS)

  const { transactions } = app.store.counters
  for (const _ of seqs(20)) {
    await new Promise((resolve) => setTimeout(resolve, 10)) // samples over some of the streams' time
    const sampled = await connections(client)
    t.ok(sampled.length <= 10)
    t.strictSame(
      sampled.filter(({ state, in_transaction }) => state !== 'idle' || in_transaction),
      []
    )
  }
  await t.resolves(app.store.ping(), 'and there is one for whoever asks')
  t.ok(app.store.counters.transactions - transactions <= 1, 'nothing is written but a beat')

  ending.open()
  for (const text of await Promise.all(texts)) t.match(text, '[DONE]')
  for (const res of answers) t.equal((await endedTurn(res)).status, 'completed')
})
