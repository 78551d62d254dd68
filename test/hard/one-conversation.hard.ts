import t from 'tap'
import type { Turn } from '../../storage/contract.ts'
import { openStore } from '../../storage/open-store.ts'
import { runFixture } from '../helper/fixture.ts'
import { startDatabase } from '../helper/postgres.ts'
import { createConversation, SESSION, seqs } from '../storage/contract/rows.ts'

const PROCESSES = 8
const TURNS = 10_000
const PAGE = 500

t.setTimeout(240_000)

t.test('8 processes record 10,000 turns in one conversation: no gap, no loss, no conflict', async (t) => {
  const dbUrl = await startDatabase()
  const store = await openStore(dbUrl, { report() {} })
  t.teardown(() => store.close())
  await store.initialize()
  const { id } = await createConversation(store)

  const startedAt = performance.now()
  const each = String(TURNS / PROCESSES)
  const kept = await Promise.all(seqs(PROCESSES).map(() => runFixture(t, 'turn-load.ts', [dbUrl, id, each])))
  const seconds = (performance.now() - startedAt) / 1000
  process.stderr.write(`${TURNS} turns in ${seconds.toFixed(1)} s, ${Math.round(TURNS / seconds)} turns/s\n`)
  t.strictSame(kept, Array(PROCESSES).fill(TURNS / PROCESSES))

  const turns: Turn[] = []
  for (let afterSeq = 0; afterSeq < TURNS; afterSeq += PAGE) {
    const page = { limit: PAGE, order: 'asc', afterSeq, includeSuperseded: true } as const
    turns.push(...((await store.listTurns(SESSION, id, page))?.data ?? []))
  }
  t.strictSame(
    turns.map(({ seq }) => seq),
    seqs(TURNS)
  )
  const wrong = turns.filter(
    ({ status, userText, assistantText, superseded }) =>
      status !== 'completed' || superseded || assistantText !== `answer to ${userText}`
  )
  t.strictSame(wrong, [])
  t.equal(new Set(turns.map(({ userText }) => userText)).size, TURNS, 'each question is there, once')
  t.equal((await store.getConversation(SESSION, id))?.lastSeq, TURNS)
})
