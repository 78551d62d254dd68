import t, { type Test } from 'tap'
import { createSweeper, DAY_MS, MAX_CLOCK_SHIFT_MS } from '../../../storage/retention/sweeper.ts'
import { addDue, DAYS, idsIn, NOW, testClocks } from '../../helper/due.ts'
import { openTestStore } from '../../helper/transfer.ts'

/** A conversation that is due in a day, and the clocks by which it is looked at. */
async function start(t: Test) {
  const store = await openTestStore(t, 'sqlite::memory:')
  await addDue(store, 1, { activeAt: NOW - (DAYS - 1) * DAY_MS })
  const { at, clocks } = testClocks()
  const sweeper = createSweeper(store, { days: DAYS, clocks })
  const pass = (ms: number, wallMs = ms) => {
    at.monotonic += ms
    at.wall += wallMs
  }
  return { sweeper, pass, left: async () => (await idsIn(store)).length }
}

t.test('time that passes on both clocks makes due, however long nobody looked', async (t) => {
  const { sweeper, pass, left } = await start(t)
  t.match(await sweeper.run(), { conversations: 0 })
  pass(DAY_MS)
  t.match(await sweeper.run(), { conversations: 0 }, 'at the cutoff it stays')
  pass(1)
  t.match(await sweeper.run(), { conversations: 1 })
  t.equal(await left(), 0)
})

t.test('the run after the clock was set is left out, whichever way it was set', async (t) => {
  t.equal(MAX_CLOCK_SHIFT_MS, 300_000)
  for (const shiftMs of [MAX_CLOCK_SHIFT_MS + 1, -MAX_CLOCK_SHIFT_MS - 1, 2 * DAY_MS, -2 * DAY_MS]) {
    const { sweeper, pass, left } = await start(t)
    pass(600_000, 600_000 + shiftMs)
    t.equal(await sweeper.run(), 'clock_moved', `${shiftMs} ms`)
    t.equal(await left(), 1)
    t.match(sweeper.counters, { runs: 0, failures: 0, lastSuccessAt: 0 })
  }
})

t.test('a leap that is taken back deletes nothing', async (t) => {
  const { sweeper, pass, left } = await start(t)
  pass(600_000, 600_000 + 2 * DAY_MS)
  t.equal(await sweeper.run(), 'clock_moved')
  pass(600_000, 600_000 - 2 * DAY_MS)
  t.equal(await sweeper.run(), 'clock_moved')
  pass(600_000)
  t.match(await sweeper.run(), { conversations: 0 })
  t.equal(await left(), 1)
})

t.test('a clock that then goes evenly is believed', async (t) => {
  const { sweeper, pass } = await start(t)
  pass(600_000, 600_000 + 2 * DAY_MS)
  await sweeper.run()
  pass(600_000)
  t.match(await sweeper.run(), { conversations: 1 })
})

t.test('a clock that is put right in small steps is believed', async (t) => {
  const { sweeper, pass } = await start(t)
  for (const shiftMs of [MAX_CLOCK_SHIFT_MS, -MAX_CLOCK_SHIFT_MS, 1_000]) {
    pass(600_000, 600_000 + shiftMs)
    t.match(await sweeper.run(), { conversations: 0 }, `${shiftMs} ms`)
  }
  t.equal(sweeper.counters.runs, 3)
})
