import fc from 'fast-check'
import t from 'tap'
import type { Turn } from '../../client/index.d.ts'
import { shownTurns, versionsByParent } from '../../console/text/versions.js'
import { holds } from '../helper/property.ts'

const turn = (seq: number, parentSeq: number, superseded = false, status: Turn['status'] = 'completed') =>
  ({ seq, parent_seq: parentSeq, superseded, status }) as Turn
const seqsOf = (turns: Turn[]) => turns.map(({ seq }) => seq)

t.test('the turns that count are shown', (t) => {
  const turns = [turn(1, 0), turn(2, 1, true), turn(3, 1)]
  t.same(seqsOf(shownTurns(turns, null)), [1, 3])
  t.same(seqsOf(shownTurns(turns, 99)), [1, 3], 'a turn that is not there changes nothing')
  t.same(shownTurns([], null), [])
  t.end()
})

t.test('of a version that was replaced the way to it is shown, and the newest that follows', (t) => {
  // 1 ─┬─ 2 ─┬─ 3
  //    │     └─ 4 ── 5
  //    └─ 6
  const turns = [
    turn(1, 0),
    turn(2, 1, true),
    turn(3, 2, true),
    turn(4, 2, true),
    turn(5, 4, true),
    turn(6, 1)
  ]
  t.same(seqsOf(shownTurns(turns, 2)), [1, 2, 4, 5])
  t.same(seqsOf(shownTurns(turns, 3)), [1, 2, 3])
  t.same(seqsOf(shownTurns(turns, 6)), [1, 6])
  t.same(seqsOf(shownTurns(turns.slice(1), 3)), [2, 3], 'as far as it was read')
  t.end()
})

t.test('versions are those that follow the same turn', (t) => {
  const turns = [turn(1, 0, true), turn(2, 1, true), turn(3, 0), turn(4, 3), turn(5, 3)]
  t.same(
    [...versionsByParent(turns)],
    [
      [0, [1, 3]],
      [1, [2]],
      [3, [4, 5]]
    ]
  )
  t.end()
})

t.test('what did not complete is a version only once it was replaced', (t) => {
  const failed = [turn(1, 0, false, 'failed'), turn(2, 0, false, 'incomplete'), turn(3, 0)]
  t.same([...versionsByParent(failed)], [[0, [3]]])
  t.same([...versionsByParent([turn(1, 0, true, 'failed'), turn(2, 0)])], [[0, [1, 2]]])
  t.end()
})

t.test('whatever is viewed, each turn follows the one before it', async (t) => {
  const history = fc
    .array(fc.record({ parent: fc.nat(), superseded: fc.boolean() }), { maxLength: 30 })
    .map((rows) =>
      rows.map(({ parent, superseded }, index) => turn(index + 1, parent % (index + 1), superseded))
    )
  await holds(
    t,
    fc.property(history, fc.nat({ max: 31 }), (turns, viewed) => {
      const shown = shownTurns(turns, viewed)
      if (!turns.some(({ seq }) => seq === viewed)) return shown.every(({ superseded }) => !superseded)
      const chained = shown.every(({ parent_seq }, at) => parent_seq === (shown[at - 1]?.seq ?? 0))
      const last = shown.at(-1)
      return (
        chained && seqsOf(shown).includes(viewed) && !turns.some(({ parent_seq }) => parent_seq === last?.seq)
      )
    }),
    500
  )
})
