import t from 'tap'
import { isId } from '../../storage/ids.ts'
import { importedId } from '../../storage/transfer/imported-id.ts'
import { type OldValue, readInstant } from '../../storage/transfer/instant.ts'

const MS = Date.UTC(2024, 4, 1, 10, 20, 30)
const CASES: [OldValue, number | null][] = [
  ['2024-05-01T10:20:30.000Z', MS],
  ['2024-05-01T10:20:30.250Z', MS + 250],
  ['2024-05-01T12:20:30+02:00', MS],
  ['2024-05-01T12:20:30+0200', MS],
  ['2024-05-01T10:20:30', MS],
  ['2024-05-01 10:20:30', MS],
  [' 2024-05-01 10:20:30.5 ', MS + 500],
  ['2024-05-01 10:20', MS - 30_000],
  ['2024-05-01', Date.UTC(2024, 4, 1)],
  [MS, MS],
  [BigInt(MS), MS],
  [MS / 1000, MS],
  [MS / 1000 + 0.25, MS + 250],
  [String(MS), MS],
  [String(MS / 1000), MS],
  ['2024-02-30 10:00:00', null],
  ['2024-05-01 25:00:00', null],
  ['1.5.2024', null],
  ['yesterday', null],
  ['', null],
  ['NaN', null],
  [0, null],
  [-5, null],
  [Number.NaN, null],
  [1e15, null],
  [null, null],
  [Buffer.from('2024-05-01'), null]
]

t.test('an instant is read in every form that is known, and nothing else is guessed', async (t) => {
  for (const [value, expected] of CASES) t.equal(readInstant(value), expected, `${typeof value} ${value}`)
})

t.test(
  'an imported id has our form, follows its time, and depends on the old id alone beside it',
  async (t) => {
    const id = importedId('conv', 'c1', MS)
    t.ok(isId('conv', id))
    t.match(id, /^conv_.{12}7.{3}[89ab]/, 'a UUIDv7')
    t.equal(Number.parseInt(id.slice(5, 17), 16), MS)
    t.equal(importedId('conv', 'c1', MS), id)
    t.not(importedId('conv', 'c2', MS), id)
    t.not(importedId('turn', 'c1', MS).slice(5), id.slice(5))
    t.ok(importedId('conv', 'c9', MS - 1) < id && id < importedId('conv', 'c9', MS + 1))
  }
)
