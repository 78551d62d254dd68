import fc from 'fast-check'
import type { ContractPart } from '../contract.ts'
import { allTurns, createConversation, exchange, FAILED, SESSION } from './rows.ts'

interface Place {
  seq: number
  parentSeq: number
  visible: boolean
  completed: boolean
}

/** The least that can be said of a path: who completes off the path's end, is its end, and what leads to it. */
function complete(turns: Place[], seq: number, parentSeq: number): void {
  const older = turns.filter((turn) => turn.seq < seq)
  const parent = older.find((turn) => turn.seq === parentSeq)
  if (parentSeq === seq - 1) return
  if (!parent || parent.visible) {
    for (const turn of older) if (turn.seq > parentSeq) turn.visible = false
    return
  }
  const path = new Set<Place>()
  const visibleBelow = (limit: number) => older.findLast((turn) => turn.seq < limit && turn.visible)
  let turn: Place | undefined = parent
  while (turn) {
    path.add(turn)
    const next: number = turn.completed ? turn.parentSeq : turn.seq - 1
    turn = next === 0 ? undefined : (older.find(({ seq }) => seq === next) ?? visibleBelow(next))
  }
  for (const place of older) place.visible = path.has(place)
}

const paths: ContractPart = (t, start) => {
  t.test('a turn that follows a superseded one makes exactly the way to it the path', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const visible = async () =>
      (await allTurns(store, id)).flatMap((turn) => (turn.superseded ? [] : turn.seq))
    const steps: [parentSeq: number | null, ending: object, visible: number[]][] = [
      [null, {}, [1]],
      [null, {}, [1, 2]],
      [null, {}, [1, 2, 3]],
      [1, {}, [1, 4]],
      [null, {}, [1, 4, 5]],
      [3, FAILED, [1, 4, 5, 6]],
      [3, {}, [1, 2, 3, 7]],
      [4, {}, [1, 4, 8]],
      [6, {}, [1, 4, 5, 6, 9]], // it failed, and so has replaced nothing of what it was behind
      [0, {}, [10]],
      [9, {}, [1, 4, 5, 6, 9, 11]]
    ]
    for (const [parentSeq, ending, expected] of steps) {
      await exchange(store, id, { parentSeq }, ending)
      t.strictSame(await visible(), expected, `after ${parentSeq}`)
    }
  })

  t.test('past a deleted turn the way goes on at the newest below it that is not superseded', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const keys = []
    for (const parentSeq of [null, null, 1, null, null]) keys.push(await exchange(store, id, { parentSeq }))
    const path = async () => {
      const page = await store.listTurns(SESSION, id, { limit: 10, order: 'asc' })
      return page?.data.map(({ seq }) => seq)
    }
    await exchange(store, id, { parentSeq: 2 })
    t.strictSame(await path(), [1, 2, 6])
    const [, , , fourth] = keys
    if (fourth) await store.changeTurn(SESSION, fourth, () => null)
    await exchange(store, id, { parentSeq: 5 })
    t.strictSame(await path(), [1, 2, 5, 7], 'the third, just below it, is superseded')
  })

  t.test(
    'any turns, whatever they follow and however they end, leave the path that a model has',
    async (t) => {
      const store = await start(t)
      const step = fc.record({
        parent: fc.option(fc.nat(), { freq: 2 }),
        fails: fc.nat(5),
        deletes: fc.nat(11)
      })
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
          const { id } = await createConversation(store)
          const model: Place[] = []
          for (const [index, { parent, fails, deletes }] of steps.entries()) {
            const seq = index + 1
            const places = [0, ...model.map((turn) => turn.seq)]
            const parentSeq = parent === null ? null : (places[parent % places.length] ?? 0)
            const key = await exchange(store, id, { parentSeq }, fails === 0 ? FAILED : {})
            if (fails !== 0) complete(model, seq, key.parentSeq)
            model.push({ seq, parentSeq: key.parentSeq, visible: true, completed: fails !== 0 })
            if (deletes === 0) {
              await store.changeTurn(SESSION, key, () => null)
              model.pop()
            }
          }
          const kept = (await allTurns(store, id)).map((turn) => [turn.seq, !turn.superseded])
          t.strictSame(
            kept,
            model.map(({ seq, visible }) => [seq, visible])
          )
        }),
        { numRuns: 25 }
      )
    }
  )
}

export default paths
