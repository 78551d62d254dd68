import type { JsonObject, Store, Turn } from '../../../storage/contract.ts'
import type { ContractPart } from '../contract.ts'
import { allTurns, CUT_OFF, createConversation, exchange, FAILED, SESSION } from './rows.ts'

const IMAGE = `data:image/png;base64,${'iVBORw0KGgo'.repeat(100)}`

/** Turns of many sizes: plain, empty, long, not ASCII, with JSON, and with one image once or more. */
const CONTENT: [userText: string | null, assistantText: string | null, detail: JsonObject | null][] = [
  ['Hi', 'Hello', null],
  [null, null, null],
  ['x'.repeat(3_000), 'Hello', null],
  ['ü😀'.repeat(100), '\u0001"\\', null],
  ['Hi', null, { a: IMAGE }],
  ['Hi', 'Hello', { a: IMAGE, b: [IMAGE, IMAGE] }],
  ['Hi', 'y'.repeat(5_000), { note: 'ü"\n\0', a: IMAGE }],
  [null, 'Hello', { list: [1, 2, { three: 'x'.repeat(900) }] }]
]

/** Written out once more, since drivers may count with code of ours. */
function sizeOf({ userText, assistantText, detail }: Turn): number {
  const texts = [userText ?? '', assistantText ?? '', detail ? JSON.stringify(detail) : '']
  return new TextEncoder().encode(texts.join('')).length
}

/** What a page of `turns` holds: how many of them, and their bytes. */
function expected(turns: Turn[], limit: number, maxBytes: number) {
  let [count, bytes] = [0, 0]
  for (const turn of turns.slice(0, limit)) {
    if (count > 0 && bytes + sizeOf(turn) > maxBytes) break
    count += 1
    bytes += sizeOf(turn)
  }
  return { data: turns.slice(0, count), hasMore: count < turns.length, bytes }
}

async function fill(store: Store): Promise<string> {
  const { id } = await createConversation(store)
  for (const [userText, assistantText, detail] of CONTENT)
    await exchange(store, id, { userText, detail }, { assistantText, detail })
  return id
}

/** Around each sum at which one turn more begins to fit, and far from all. */
function boundsOf(turns: Turn[]): number[] {
  let sum = 0
  const sums = turns.flatMap((turn) => {
    sum += sizeOf(turn)
    return [sum - 1, sum, sum + 1]
  })
  return [...new Set([0, 1, ...sums, 1_000_000])].filter((bound) => bound >= 0)
}

const pageBytes: ContractPart = (t, start) => {
  t.test('a page ends before the turn with which it would hold more than maxBytes', async (t) => {
    const store = await start(t)
    const id = await fill(store)
    const turns = await allTurns(store, id)
    for (const order of ['asc', 'desc'] as const) {
      const ordered = order === 'asc' ? turns : turns.toReversed()
      for (const maxBytes of boundsOf(ordered)) {
        for (const limit of [1, 4, 100]) {
          const page = { order, limit, maxBytes }
          const wanted = expected(ordered, limit, maxBytes)
          t.strictSame(await store.listTurns(SESSION, id, page), wanted, JSON.stringify(page))
          const listed = await store.listSessionTurns(SESSION, { kind: 'chat', ...page })
          const data = listed.data.map(({ newestOfItsId: _, ...turn }) => turn)
          t.strictSame({ ...listed, data }, wanted, `of the session, ${JSON.stringify(page)}`)
        }
      }
    }
    const none = { data: [], hasMore: false, bytes: 0 }
    t.strictSame(
      await store.listTurns(SESSION, id, { limit: 9, order: 'asc', afterSeq: 99, maxBytes: 1 }),
      none
    )
    t.equal(await store.listTurns('bob', id, { limit: 9, order: 'asc', maxBytes: 1 }), null)
    t.strictSame(
      await store.listSessionTurns('bob', { kind: 'chat', limit: 9, order: 'asc', maxBytes: 1 }),
      none
    )
  })

  t.test('large turns of several conversations come back as they are, each with its own media', async (t) => {
    const store = await start(t)
    const ids = [await fill(store), await fill(store)]
    const all = (await Promise.all(ids.map((id) => allTurns(store, id)))).flat()
    const page = { kind: 'chat', limit: 100, order: 'asc', maxBytes: 40_000 } as const
    const { data, hasMore } = await store.listSessionTurns(SESSION, page)
    t.strictSame(
      data.map(({ newestOfItsId: _, ...turn }) => turn),
      all
    )
    t.equal(hasMore, false)
    const narrowed = await store.listSessionTurns(SESSION, { ...page, model: 'a-model', maxBytes: 1 })
    t.strictSame([narrowed.data.map(({ id }) => id), narrowed.hasMore], [[all[0]?.id], true])
  })

  t.test('failed turns are left out where that is asked for, and those that broke off are not', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const ending of [{}, FAILED, CUT_OFF, FAILED]) await exchange(store, id, {}, ending)
    for (const [withoutFailed, seqs] of [
      [true, [1, 3]],
      [false, [1, 2, 3, 4]]
    ] as const) {
      const page = await store.listTurns(SESSION, id, { limit: seqs.length, order: 'asc', withoutFailed })
      t.strictSame([page?.data.map(({ seq }) => seq), page?.hasMore], [seqs, false])
    }
  })
}

export default pageBytes
