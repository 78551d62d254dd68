import t from 'tap'
import type { Store, TurnPage } from '../../../storage/contract.ts'
import { pathTo, turnsUpTo } from '../../../storage/dialogue/path.ts'
import { newId } from '../../../storage/ids.ts'
import { openStore } from '../../../storage/open-store.ts'
import { turnWith } from '../../helper/turn.ts'

/** Turns as `[seq, parent, superseded?]`. */
const turns = (...places: [seq: number, parent: number, superseded?: 'superseded'][]) =>
  places.map(([seq, parentSeq, superseded]) =>
    turnWith({ seq, parentSeq, superseded: superseded !== undefined })
  )
const ALL = { includeSuperseded: true, maxBytes: 1_000_000 }
const seqs = (list: { seq: number }[]) => list.map(({ seq }) => seq)

const FORKED = turns([1, 0], [2, 1, 'superseded'], [3, 2, 'superseded'], [4, 1], [5, 4])
const TABLE: [name: string, all: typeof FORKED, seq: number, path: number[]][] = [
  ['the beginning', FORKED, 0, []],
  ['the newest turn', FORKED, 5, [1, 4, 5]],
  ['an older turn that counts', FORKED, 4, [1, 4]],
  ['the first', FORKED, 1, [1]],
  ['a turn that was replaced', FORKED, 3, [1, 2, 3]],
  ['the first of those', FORKED, 2, [1, 2]],
  ['a gap', turns([1, 0], [2, 1], [4, 3]), 3, [1, 2]],
  ['past a gap', turns([1, 0], [2, 1], [4, 3]), 4, [1, 2, 4]],
  ['a turn that was replaced, past a gap', turns([1, 0], [2, 1], [4, 3, 'superseded'], [5, 2]), 4, [1, 2, 4]],
  ['a turn from the beginning', turns([1, 0, 'superseded'], [2, 0]), 2, [2]],
  ['a turn whose parent is itself', turns([1, 0], [2, 2, 'superseded'], [3, 1]), 1, [1]],
  ['nothing at all', [], 7, []]
]

for (const [name, all, seq, path] of TABLE) {
  t.test(`the way to ${name}`, async (t) => {
    t.strictSame(seqs(pathTo(all, seq)), path)
  })
}

t.test('all turns up to one are read, also where they are more than a page', async (t) => {
  const store = await openStore('sqlite::memory:', { report: () => {} })
  t.teardown(() => store.close())
  await store.initialize()
  const conversation = {
    id: newId('conv'),
    sessionId: 's',
    title: null,
    model: null,
    metadata: {},
    createdAt: 1
  }
  await store.createConversation(
    conversation,
    Array.from({ length: 1_001 }, (_, i) => ({
      id: newId('turn'),
      userText: `${i}`,
      assistantText: null,
      detail: null,
      createdAt: 1
    }))
  )
  const pages: TurnPage[] = []
  const listTurns: Store['listTurns'] = (session, id, page) => {
    pages.push(page)
    return store.listTurns(session, id, page)
  }
  for (const last of [1_001, 1_000, 500, 1, 0]) {
    const read = await turnsUpTo({ ...store, listTurns }, 's', conversation.id, last, ALL)
    t.strictSame(
      seqs(read ?? []),
      Array.from({ length: last }, (_, i) => i + 1),
      `up to ${last}`
    )
  }
  t.ok(pages.every((page) => page.includeSuperseded === true))
  t.equal(await turnsUpTo(store, 'other', conversation.id, 5, ALL), null)
  t.equal(await turnsUpTo(store, 's', newId('conv'), 5, ALL), null)
})
