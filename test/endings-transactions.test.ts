import t, { type Test } from 'tap'
import { startApp, tempFolder } from './helper/app.ts'
import { openDatabase } from './helper/database.ts'
import { gate } from './helper/endings.ts'
import { rawChat } from './helper/raw-client.ts'
import {
  DONE,
  delta,
  finish,
  sendJson,
  startSse,
  startUpstream,
  type UpstreamScript
} from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })

async function start(t: Test, script?: UpstreamScript, settings: Record<string, string> = {}) {
  const dbUrl = `sqlite:${tempFolder(t)}/test.db`
  const upstream = await startUpstream(t, script)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: dbUrl, ...settings })
  const transactions = () => running.app.store.counters.transactions
  return { running, upstream, dbUrl, transactions }
}

const endings: { title: string; script: UpstreamScript; stream: boolean }[] = [
  {
    title: 'a stream of 200 deltas',
    stream: true,
    script: async (res) => {
      startSse(res)
      for (let i = 0; i < 200; i += 1) await new Promise((resolve) => res.write(HELLO, resolve))
      res.end(finish() + DONE)
    }
  },
  { title: 'a failed call', stream: false, script: (res) => sendJson(res, 429, { error: {} }) },
  {
    title: 'a truncated stream',
    stream: true,
    script: (res) => {
      startSse(res)
      res.end(HELLO)
    }
  }
]

for (const { title, script, stream } of endings) {
  t.test(`${title} is two transactions and two writes`, async (t) => {
    const { running, transactions } = await start(t, script)
    const { writes } = running.app.store.counters
    const before = transactions()
    const res = await running.chat({ stream })
    await res.text()
    await running.endedTurn(res)
    t.equal(transactions() - before, 2)
    t.equal(running.app.store.counters.writes - writes, 2)
  })
}

t.test('a client that leaves is two transactions', async (t) => {
  const { running, upstream, transactions } = await start(t, (res) => {
    startSse(res)
    res.write(HELLO)
  })
  const before = transactions()
  const leaving = new AbortController()
  const res = await running.chat({ stream: true }, {}, leaving.signal)
  leaving.abort()
  await upstream.calls[0]?.cancelled
  await running.endedTurn(res)
  t.equal(transactions() - before, 2)
})

t.test('one transaction comes before the stream and one after; between them nothing is held', async (t) => {
  const ending = gate()
  const { running, dbUrl, transactions } = await start(t, async (res) => {
    startSse(res)
    res.write(HELLO)
    await ending.opened
    res.end(finish() + DONE)
  })
  const before = transactions()
  const client = await rawChat(t, running.url, { stream: true })
  await client.until('Hello')
  t.equal(transactions() - before, 1)

  const other = openDatabase(t, dbUrl)
  other.exec('BEGIN EXCLUSIVE')
  other.exec('ROLLBACK')
  const [checkpoint] = other.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
  t.equal(checkpoint?.busy, 0, 'no statement is open that reads the log')
  t.equal(transactions() - before, 1)

  ending.open()
  await client.until('[DONE]')
  t.equal(transactions() - before, 2)
})
