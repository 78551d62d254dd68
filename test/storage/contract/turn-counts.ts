import { randomUUID } from 'node:crypto'
import type { Store, Turn, TurnEnding } from '../../../storage/contract.ts'
import { importedId } from '../../../storage/transfer/imported-id.ts'
import { DAY_MS } from '../../../storage/turn-counts.ts'
import type { ContractPart } from '../contract.ts'
import { allTurns, begin, CUT_OFF, createConversation, exchange, FAILED, SESSION, seqs } from './rows.ts'

/** Midnight in UTC. */
const DAY = Date.UTC(2026, 10, 28)
const LEFT = { status: 'incomplete', error: 'client_disconnect' } as const
const HOUR_MS = 3_600_000

/** An id from then. */
const idOf = (instant: number): string => importedId('turn', randomUUID(), instant)
/** When a turn began, and its id from the same instant. */
const at = (createdAt: number) => ({ id: idOf(createdAt), createdAt })

async function exchangeAt(store: Store, id: string, instants: number[], ending: Partial<TurnEnding> = {}) {
  for (const instant of instants) await exchange(store, id, at(instant), ending)
}

/** Days from `DAY`, each with its endings: `0 completed 2`. */
async function counted(store: Store, since: number, sessionId = SESSION): Promise<string[]> {
  const counts = await store.countTurns(sessionId, since)
  return counts.map(({ day, status, error, turns }) =>
    [(day - DAY) / DAY_MS, status, ...(error === null ? [] : [error]), turns].join(' ')
  )
}

const turnCounts: ContractPart = (t, start) => {
  t.test('turns are counted by day, status and error, sorted', async (t) => {
    const store = await start(t)
    const [one, other] = [(await createConversation(store)).id, (await createConversation(store)).id]
    await exchangeAt(store, one, [DAY + DAY_MS, DAY + 5, DAY + 6, DAY - 3 * DAY_MS])
    await exchangeAt(store, other, [DAY + 7], LEFT)
    await exchangeAt(store, one, [DAY + 8, DAY + 9], CUT_OFF)
    await exchangeAt(store, other, [DAY + 10], FAILED)
    await exchangeAt(store, other, [DAY + 11])
    await begin(store, other, { ...at(DAY + 12), kind: 'response' })
    t.strictSame(await store.countTurns(SESSION, DAY - 3 * DAY_MS), [
      { day: DAY - 3 * DAY_MS, status: 'completed', error: null, turns: 1 },
      { day: DAY, status: 'completed', error: null, turns: 3 },
      { day: DAY, status: 'failed', error: 'upstream_error', turns: 1 },
      { day: DAY, status: 'in_progress', error: null, turns: 1 },
      { day: DAY, status: 'incomplete', error: 'client_disconnect', turns: 1 },
      { day: DAY, status: 'incomplete', error: 'upstream_truncated', turns: 2 },
      { day: DAY + DAY_MS, status: 'completed', error: null, turns: 1 }
    ])
  })

  t.test('a day begins and ends to the millisecond', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchangeAt(store, id, [DAY - 1, DAY, DAY + DAY_MS - 1, DAY + DAY_MS])
    t.strictSame(await counted(store, DAY), ['0 completed 2', '1 completed 1'])
    t.strictSame(await counted(store, DAY - 1), ['-1 completed 1', '0 completed 2', '1 completed 1'])
    t.strictSame(await counted(store, DAY + 1), ['0 completed 1', '1 completed 1'], 'of a day, its rest')
    t.strictSame(await counted(store, DAY + DAY_MS), ['1 completed 1'])
    t.strictSame(await counted(store, DAY + DAY_MS + 1), [])
    const all = ['-1 completed 1', '0 completed 2', '1 completed 1']
    t.strictSame(await counted(store, 0), all, 'from the beginning of time')
  })

  t.test('the day is that of the turn, also where its id is from another instant', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const cases: [createdAt: number, idFrom: number][] = [
      [DAY, DAY - 1], // the id was made first
      [DAY, DAY - HOUR_MS], // and then the clock was set
      [DAY + 1, DAY - DAY_MS + HOUR_MS],
      [DAY - 1, DAY], // not meant, whatever its id says
      [DAY - 1, DAY + DAY_MS],
      [DAY + DAY_MS - 1, DAY + 30 * DAY_MS] // the clock was ahead for a month
    ]
    for (const [createdAt, idFrom] of cases) await exchange(store, id, { createdAt, id: idOf(idFrom) })
    t.strictSame(await counted(store, DAY), ['0 completed 4'])
  })

  t.test('model calls alone count, superseded and running ones too', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchangeAt(store, id, [DAY, DAY + 1])
    await exchange(store, id, { ...at(DAY + 2), parentSeq: 0 })
    await exchange(store, id, { ...at(DAY + 3), kind: 'response' })
    t.equal((await allTurns(store, id)).filter(({ superseded }) => superseded).length, 2)
    const item = { userText: 'x', assistantText: null, detail: null }
    await store.addTurns(SESSION, id, [{ ...item, ...at(DAY + 4) }], null)
    t.strictSame(await counted(store, DAY), ['0 completed 4'])
    await begin(store, id, at(DAY + 5))
    t.strictSame(await counted(store, DAY), ['0 completed 4', '0 in_progress 1'])
  })

  t.test('a turn counts once, as what has become of it', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const asked = { requestHash: 'a', retrySince: 0 }
    await exchange(store, id, { ...asked, ...at(DAY) }, FAILED)
    t.strictSame(await counted(store, DAY), ['0 failed upstream_error 1'])
    const again = await begin(store, id, { ...asked, ...at(DAY + DAY_MS) })
    t.strictSame(await counted(store, DAY), ['0 in_progress 1'], 'tried again, it is of the day it began')
    await store.finishTurn(again, { ...CUT_OFF, error: 'upstream_timeout' })
    t.strictSame(await counted(store, DAY), ['0 incomplete upstream_timeout 1'])
    await store.changeTurn(SESSION, again, (turn) => ({ ...turn, kind: 'items' }))
    t.strictSame(await counted(store, DAY), [], 'not any more when it is one of items')
    await store.changeTurn(SESSION, again, (turn) => ({ ...turn, kind: 'chat' }))
    t.strictSame(await counted(store, DAY), ['0 incomplete upstream_timeout 1'])
    await store.changeTurn(SESSION, again, () => null)
    t.strictSame(await counted(store, DAY), [], 'nor when it is deleted')
    await exchangeAt(store, id, [DAY])
    await store.deleteConversation(SESSION, id)
    t.strictSame(await counted(store, DAY), [])
  })

  t.test('a session has its own counts', async (t) => {
    const store = await start(t)
    const sessions = ['bob', 'Alice', 'alice ', 'alic', '%', '']
    const { id } = await createConversation(store)
    await exchangeAt(store, id, [DAY])
    for (const sessionId of sessions) t.strictSame(await counted(store, 0, sessionId), [], sessionId)
    for (const [index, sessionId] of sessions.entries()) {
      const { id: own } = await createConversation(store, { sessionId })
      for (const _ of seqs(index + 2)) await exchange(store, own, { ...at(DAY), sessionId })
    }
    t.strictSame(await counted(store, 0), ['0 completed 1'])
    for (const [index, sessionId] of sessions.entries())
      t.strictSame(await counted(store, 0, sessionId), [`0 completed ${index + 2}`], sessionId)
    const conversation = await store.getConversation(SESSION, id)
    if (conversation) await store.importConversation({ ...conversation, sessionId: 'bob' })
    t.strictSame(await counted(store, 0), [], 'what another session was given is not its any more')
    t.strictSame(await counted(store, 0, 'bob'), ['0 completed 3'])
  })

  t.test('of many turns none is left out and none counts twice', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchangeAt(store, id, [DAY])
    const [seed] = await allTurns(store, id)
    const turns = seqs(1_500).map(
      (seq): Turn => ({
        ...(seed as Turn),
        // Three days, of which the first has two thirds.
        ...at(DAY + (seq <= 1_000 ? seq : Math.ceil((seq - 1_000) / 250) * DAY_MS)),
        seq,
        parentSeq: seq - 1,
        ...(seq % 10 === 0 && LEFT)
      })
    )
    for (let first = 0; first < turns.length; first += 500)
      await store.importTurns(turns.slice(first, first + 500))
    t.strictSame(await counted(store, DAY + 1), [
      '0 completed 900',
      '0 incomplete client_disconnect 100',
      '1 completed 225',
      '1 incomplete client_disconnect 25',
      '2 completed 225',
      '2 incomplete client_disconnect 25'
    ])
    t.strictSame(await counted(store, DAY + 2 * DAY_MS), [
      '2 completed 225',
      '2 incomplete client_disconnect 25'
    ])
  })

  t.test('without turns there is nothing to count', async (t) => {
    const store = await start(t)
    await createConversation(store)
    t.strictSame(await store.countTurns(SESSION, 0), [])
    t.strictSame(await store.countTurns('nobody', DAY), [])
  })
}

export default turnCounts
