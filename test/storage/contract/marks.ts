import type {
  FoundMark,
  MarkPage,
  MarksSought,
  NewTurn,
  Store,
  TurnEnding
} from '../../../storage/contract.ts'
import type { ContractPart } from '../contract.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  CUT_OFF,
  createConversation,
  exchange,
  FAILED,
  newTurn,
  SESSION,
  seqs
} from './rows.ts'

const NOTHING: MarksSought = { tips: [], asked: [], answer: null }
const ANSWERED: Partial<TurnEnding> = { tipMark: 'tip', answerMark: 'answer' }
const PAGE: MarkPage = { limit: 100, order: 'asc' }
const ALL_THREE = { asked: 'asked', tip: 'tip', answer: 'answer' }

/** What is found by each of the three marks that the turns here have: the places, `<conversation> <seq>`. */
async function foundBy(store: Store, sessionId = SESSION, conversationId?: string): Promise<string[][]> {
  const each: Partial<MarksSought>[] = [{ asked: ['asked'] }, { tips: ['tip'] }, { answer: 'answer' }]
  return await Promise.all(
    each.map(async (sought) =>
      places(await store.findMarks(sessionId, { ...NOTHING, ...sought, conversationId }))
    )
  )
}

function places(found: FoundMark[]): string[] {
  return found.map(({ conversationId, seq }) => `${conversationId} ${seq}`).toSorted()
}

const exchangeMarked = (
  store: Store,
  id: string,
  more: Partial<NewTurn> = {},
  ending: Partial<TurnEnding> = {}
) => exchange(store, id, { askedMark: 'asked', ...more }, { ...ANSWERED, ...ending })

const marks: ContractPart = (t, start) => {
  t.test('a turn is found by each of its marks from when it has it', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    t.strictSame(await foundBy(store), [[], [], []])
    const key = await begin(store, id, { askedMark: 'asked' })
    t.strictSame(await foundBy(store), [[`${id} 1`], [], []])
    await store.finishTurn(key, { ...COMPLETED, ...ANSWERED })
    t.strictSame(await foundBy(store), [[`${id} 1`], [`${id} 1`], [`${id} 1`]])
    t.strictSame(await store.findMarks(SESSION, NOTHING), [], 'nothing that is sought is nothing found')
    const other = await begin(store, id, { askedMark: 'other' })
    await store.finishTurn({ ...other, userText: 'Hi' }, { ...COMPLETED, tipMark: 't', answerMark: 'w' })
    for (const sought of [{ tips: ['t'] }, { answer: 'w' }])
      t.match(
        await store.findMarks(SESSION, { ...NOTHING, ...sought }),
        [{ seq: 2 }],
        'with its question at hand'
      )
    const others = { tips: ['asked', 'answer', ''], asked: ['tip', 'ASKED'], answer: 'aske' }
    t.strictSame(await store.findMarks(SESSION, others), [], 'each mark is of one kind')
  })

  t.test('the found turn is told of without its content, and with its conversation', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchange(store, id)
    await exchangeMarked(store, id, { parentSeq: 0 })
    await begin(store, id, { createdAt: 1_800_000_000_000 })
    const marked = {
      ...{ conversationId: id, seq: 2, parentSeq: 0, status: 'completed', superseded: false },
      marks: ALL_THREE
    }
    const found = [{ ...marked, lastSeq: 3, activeAt: 1_800_000_000_000 }]
    t.strictSame(await store.findMarks(SESSION, { ...NOTHING, tips: ['tip'] }), found)
    t.strictSame(await store.listMarks(SESSION, id, { ...PAGE, afterSeq: 1, limit: 1 }), [marked])
  })

  t.test('turns without marks are not found, and listed with none', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchange(store, id)
    await exchange(store, id, { askedMark: null }, { tipMark: null, answerMark: null })
    t.strictSame(await foundBy(store), [[], [], []])
    t.strictSame(
      (await store.listMarks(SESSION, id, PAGE)).map(({ marks }) => marks),
      Array(2).fill({ asked: null, tip: null, answer: null })
    )
  })

  t.test('marks are of one session, and can be sought in one conversation', async (t) => {
    const store = await start(t)
    const one = await createConversation(store)
    const other = await createConversation(store)
    const bobs = await createConversation(store, { sessionId: 'bob' })
    t.strictSame(await foundBy(store, 'bob', one.id), [[], [], []])
    for (const { id, sessionId } of [one, other, bobs]) await exchangeMarked(store, id, { sessionId })
    const both = [`${one.id} 1`, `${other.id} 1`]
    t.strictSame(await foundBy(store), [both, both, both])
    t.strictSame(await foundBy(store, SESSION, other.id), Array(3).fill([`${other.id} 1`]))
    t.strictSame(await foundBy(store, 'bob'), Array(3).fill([`${bobs.id} 1`]))
    for (const [sessionId, id] of [
      [SESSION, bobs.id],
      ['bob', one.id],
      ['Alice', one.id],
      [SESSION, 'conv_1']
    ] as const) {
      t.strictSame(await foundBy(store, sessionId, id), [[], [], []])
      t.strictSame(await store.listMarks(sessionId, id, PAGE), [])
    }
  })

  t.test('several marks are sought at once', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const seq of seqs(9))
      await exchange(store, id, { askedMark: `a${seq}` }, { tipMark: `t${seq}`, answerMark: `w${seq}` })
    const sought = { tips: seqs(6).map((seq) => `t${seq}`), asked: ['a7', 'a8', 'a9', 'a10'], answer: 'w11' }
    const all = seqs(9).map((seq) => `${id} ${seq}`)
    t.strictSame(places(await store.findMarks(SESSION, sought)), all)
    t.strictSame(places(await store.findMarks(SESSION, { ...sought, conversationId: id })), all)
    const few = { tips: ['none', 't2'], asked: ['a1', 'none'], answer: null }
    t.strictSame(places(await store.findMarks(SESSION, few)), all.slice(0, 2))
  })

  t.test('of a mark the newest 8 are found', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const other = await createConversation(store)
    for (const _ of seqs(11)) await exchangeMarked(store, id)
    const newest = [4, 5, 6, 7, 8, 9, 10, 11].map((seq) => `${id} ${seq}`).toSorted()
    t.strictSame(await foundBy(store), Array(3).fill(newest))
    for (const _ of seqs(8)) await exchangeMarked(store, other.id)
    t.strictSame(await foundBy(store, SESSION, id), Array(3).fill(newest), 'and in one conversation its own')
    const both = await store.findMarks(SESSION, { ...NOTHING, tips: ['tip', 'none'], asked: ['asked'] })
    t.strictSame(new Set(places(both)), new Set(seqs(8).map((seq) => `${other.id} ${seq}`)))
  })

  t.test('turns that are superseded, incomplete or failed are found too', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchangeMarked(store, id)
    await exchangeMarked(store, id, {}, CUT_OFF)
    await exchangeMarked(store, id, {}, FAILED)
    await exchange(store, id, { parentSeq: 0 })
    const found = await store.findMarks(SESSION, { ...NOTHING, tips: ['tip'] })
    const listed = (await store.listMarks(SESSION, id, PAGE)).slice(0, 3)
    t.strictSame(
      listed.map(({ status, superseded }) => [status, superseded]),
      [
        ['completed', true],
        ['incomplete', true],
        ['failed', true]
      ]
    )
    const asListed = found.map(({ lastSeq: _, activeAt: __, ...marked }) => marked)
    t.strictSame(
      asListed.toSorted((a, b) => a.seq - b.seq),
      listed
    )
    const lost = await begin(store, id, { askedMark: 'asked', owner: 'elsewhere' })
    await store.recoverTurns('elsewhere')
    t.match(await store.findMarks(SESSION, { ...NOTHING, asked: ['asked'], conversationId: id }), {
      length: 4
    })
    await store.finishTurn(lost, { ...COMPLETED, tipMark: 'late' })
    t.match(await store.findMarks(SESSION, { ...NOTHING, tips: ['late'] }), [{ seq: 5, status: 'completed' }])
  })

  t.test('a turn that completes on another way has its marks as well', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const _ of seqs(2)) await exchange(store, id)
    await exchangeMarked(store, id, { parentSeq: 1 })
    t.strictSame(await foundBy(store), Array(3).fill([`${id} 3`]))
  })

  t.test('a turn that begins again keeps the mark of its request alone', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const request = { requestHash: 'h', retrySince: 0 }
    await exchangeMarked(store, id, request, CUT_OFF)
    const again = await begin(store, id, { ...request, askedMark: 'asked' })
    t.equal(again.attempt, 2)
    t.strictSame(await foundBy(store), [[`${id} 1`], [], []])
    t.match(await store.listMarks(SESSION, id, PAGE), [
      { marks: { asked: 'asked', tip: null, answer: null } }
    ])
    await store.finishTurn(again, { ...COMPLETED, tipMark: 'new' })
    t.match(await store.listMarks(SESSION, id, PAGE), [
      { marks: { asked: 'asked', tip: 'new', answer: null } }
    ])
  })

  t.test('a turn that is changed or deleted has no marks any more', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const [one, other] = [await exchangeMarked(store, id), await exchangeMarked(store, id)]
    const third = await exchangeMarked(store, id)
    await store.changeTurn(SESSION, one, (turn) => ({ ...turn, userText: 'new' }))
    t.strictSame(await foundBy(store), Array(3).fill([`${id} 2`, `${id} 3`]))
    t.match(await store.listMarks(SESSION, id, PAGE), [
      { seq: 1, marks: { asked: null, tip: null, answer: null } },
      { seq: 2, marks: ALL_THREE },
      { seq: 3, marks: ALL_THREE }
    ])
    await store.changeTurn(SESSION, other, () => null)
    t.strictSame(await foundBy(store), Array(3).fill([`${id} 3`]))
    await store.changeTurn(SESSION, third, () => null)
    t.strictSame(await store.listMarks(SESSION, id, PAGE), [
      { conversationId: id, seq: 1, parentSeq: 0, status: 'completed', superseded: false, marks: none() }
    ])
  })

  t.test('what changes of a conversation leaves the marks of its turns', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchangeMarked(store, id)
    await store.updateConversation(SESSION, id, { title: 'New', pinned: true, metadata: { a: '1' } })
    const conversation = await store.getConversation(SESSION, id)
    if (conversation) await store.importConversation(conversation)
    t.strictSame(await foundBy(store), Array(3).fill([`${id} 1`]))
  })

  t.test('marks go with their conversation', async (t) => {
    const store = await start(t)
    const [one, old] = [await createConversation(store), await createConversation(store)]
    for (const { id } of [one, old]) await exchangeMarked(store, id, { createdAt: 100 })
    const kept = await createConversation(store)
    await exchangeMarked(store, kept.id, { createdAt: 300 })
    await store.deleteConversation(SESSION, one.id)
    t.strictSame(await foundBy(store), Array(3).fill([`${old.id} 1`, `${kept.id} 1`]))
    t.strictSame(await store.listMarks(SESSION, one.id, PAGE), [])
    await store.deleteConversations({ expiredBefore: 200 }, 10)
    t.strictSame(await foundBy(store), Array(3).fill([`${kept.id} 1`]))
    t.strictSame(await foundBy(store, SESSION, old.id), [[], [], []])
  })

  t.test('imported and added turns have no marks', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    await exchangeMarked(store, id)
    await store.importTurns(await allTurns(store, id))
    t.strictSame(await foundBy(store), [[], [], []])
    const added = {
      id: `turn_${'f'.repeat(32)}`,
      userText: 'Q',
      assistantText: 'A',
      detail: null,
      createdAt: 1
    }
    await store.addTurns(SESSION, id, [added], null)
    t.strictSame(
      (await store.listMarks(SESSION, id, PAGE)).map(({ marks }) => marks),
      [none(), none()]
    )
  })

  t.test('the turns of a conversation are listed with their marks, by seq and in pages', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const seq of seqs(6))
      await exchange(store, id, { askedMark: `a${seq}`, parentSeq: seq === 4 ? 2 : null })
    const pages: [Partial<MarkPage>, number[]][] = [
      [{}, [1, 2, 3, 4, 5, 6]],
      [{ order: 'desc' }, [6, 5, 4, 3, 2, 1]],
      [{ limit: 2 }, [1, 2]],
      [{ limit: 2, order: 'desc' }, [6, 5]],
      [{ afterSeq: 4 }, [5, 6]],
      [{ afterSeq: 0, limit: 1 }, [1]],
      [{ afterSeq: 6 }, []],
      [{ beforeSeq: 3 }, [1, 2]],
      [{ beforeSeq: 3, order: 'desc', limit: 1 }, [2]],
      [{ beforeSeq: 1 }, []],
      [{ beforeSeq: 99, afterSeq: 5 }, [6]],
      [{ afterSeq: 1, beforeSeq: 5, limit: 2 }, [2, 3]],
      [{ afterSeq: 1, beforeSeq: 5, order: 'desc' }, [4, 3, 2]]
    ]
    for (const [page, expected] of pages) {
      const listed = await store.listMarks(SESSION, id, { ...PAGE, ...page })
      t.strictSame(
        listed.map(({ seq, marks }) => [seq, marks.asked]),
        expected.map((seq) => [seq, `a${seq}`]),
        JSON.stringify(page)
      )
    }
    const superseded = (await store.listMarks(SESSION, id, PAGE)).filter((turn) => turn.superseded)
    t.match(superseded, [{ seq: 3 }])
  })

  t.test('a mark of 64 characters is kept, and comes back exactly', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const mark = 'aB-_'.repeat(16)
    await exchangeMarked(store, id, { askedMark: mark }, { tipMark: mark, answerMark: mark })
    t.match(await store.findMarks(SESSION, { tips: [mark], asked: [mark], answer: mark }), [
      { marks: { asked: mark, tip: mark, answer: mark } }
    ])
  })

  t.test('a request that was not begun leaves no mark', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const asked = { askedMark: 'asked', requestHash: 'h', idempotencyKey: 'k' }
    await exchange(store, id, { ...asked, askedMark: 'first' })
    t.match(await store.beginTurn(newTurn(id, asked)), { outcome: 'known' })
    await t.rejects(store.beginTurn(newTurn(id, { askedMark: 'asked', parentSeq: 9 })))
    t.strictSame(await foundBy(store), [[], [], []])
    t.match(await store.listMarks(SESSION, id, PAGE), [{ marks: { asked: 'first' } }])
  })

  t.test('the secret is long, the same each time, and of this store alone', async (t) => {
    const [store, other] = [await start(t), await start(t)]
    const secrets = await Promise.all([store.secret(), store.secret(), other.secret()])
    t.equal(secrets[0], secrets[1])
    t.not(secrets[0], secrets[2])
    for (const secret of secrets) t.ok(Buffer.byteLength(secret) >= 32)
    t.equal(await store.secret(), secrets[0])
  })
}

const none = () => ({ asked: null, tip: null, answer: null })

export default marks
