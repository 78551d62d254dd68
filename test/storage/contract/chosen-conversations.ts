import type { AddedTurn, ConversationChoice, NewConversation, Store } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  createConversation,
  exchange,
  newConversation,
  newTurn,
  SESSION,
  seqs
} from './rows.ts'

const NOTHING = { conversations: 0, turns: 0 }

/** A conversation that has so many turns, the newest of them from `activeAt`. */
async function withTurns(
  store: Store,
  count: number,
  activeAt: number,
  changes: Partial<NewConversation> = {}
) {
  const turn = { userText: 'Q', assistantText: 'A', detail: null, createdAt: activeAt }
  const turns = seqs(count).map((): AddedTurn => ({ ...turn, id: newId('turn') }))
  return (await store.createConversation(newConversation({ createdAt: activeAt, ...changes }), turns)).id
}

async function idsIn(store: Store): Promise<string[]> {
  return (await store.exportConversations(null, 1000)).map(({ id }) => id)
}

const chosenConversations: ContractPart = (t, start) => {
  const choices: [title: string, which: ConversationChoice, meant: number[]][] = [
    ['one session', { sessionId: 'alice' }, [0, 1, 2]],
    ['a session that has none', { sessionId: 'nobody' }, []],
    ['a pair over all sessions', { metadata: { user: '7' } }, [0, 3]],
    ['a pair within a session', { sessionId: 'bob', metadata: { user: '7' } }, [3]],
    ['several pairs', { metadata: { user: '7', plan: 'x' } }, [3]],
    ['a pair that stands inside another key', { metadata: { k: '1' } }, []],
    ['age', { expiredBefore: 300 }, [0, 1, 3]],
    ['age within a session', { sessionId: 'alice', expiredBefore: 300 }, [0, 1]],
    ['age and a pair', { metadata: { user: '7' }, expiredBefore: 101 }, [0]],
    ['the very instant of the last activity', { expiredBefore: 100 }, []],
    ['nothing at all, which is none', {}, []],
    ['no pairs, which is nothing at all', { metadata: {}, sessionId: undefined }, []],
    ['a session and no pairs', { sessionId: 'bob', metadata: {} }, [3, 4]]
  ]
  t.test('what is chosen is counted and deleted, and nothing else', async (t) => {
    const store = await start(t)
    for (const [title, which, meant] of choices) {
      const ids = [
        await withTurns(store, 1, 100, { metadata: { user: '7' } }),
        await withTurns(store, 0, 200, { metadata: { user: '77', plan: '7' } }),
        await withTurns(store, 2, 300, { metadata: { 'x"k': '1' } }),
        await withTurns(store, 1, 250, { sessionId: 'bob', metadata: { plan: 'x', user: '7' } }),
        await withTurns(store, 0, 400, { sessionId: 'bob' })
      ]
      t.equal(await store.countConversations(which, Number.MAX_SAFE_INTEGER), meant.length, title)
      t.equal(await store.countConversations(which, 1), Math.min(meant.length, 1), `${title}: up to one`)
      t.equal(await store.countConversations(which, 0), 0)
      t.match(await store.deleteConversations(which, 100), { conversations: meant.length }, title)
      t.strictSame(
        await idsIn(store),
        ids.filter((_, index) => !meant.includes(index)),
        title
      )
      t.strictSame(await store.deleteConversations(which, 100), NOTHING)
      for (const sessionId of ['alice', 'bob']) await store.deleteConversations({ sessionId }, 100)
    }
  })

  t.test('age spares what is pinned, and what has a turn that runs', async (t) => {
    const store = await start(t)
    const [pinned, running, ended] = [
      await withTurns(store, 1, 1),
      await withTurns(store, 1, 2),
      await withTurns(store, 1, 3)
    ]
    await store.updateConversation(SESSION, pinned, { pinned: true })
    const key = await begin(store, running, { createdAt: 2 })
    await exchange(store, ended, { createdAt: 3 })
    const expired = { expiredBefore: 10 }
    t.equal(await store.countConversations(expired, 10), 1)
    t.strictSame(await store.deleteConversations(expired, 1), { conversations: 1, turns: 2 })
    t.strictSame(await idsIn(store), [pinned, running])
    await store.finishTurn(key, COMPLETED)
    await store.updateConversation(SESSION, pinned, { pinned: false })
    t.equal(await store.countConversations(expired, 10), 2)
    t.strictSame(await store.deleteConversations(expired, 9), { conversations: 2, turns: 3 })
  })

  t.test('without an age, what is pinned or running goes too', async (t) => {
    const store = await start(t)
    const [pinned, running] = [await withTurns(store, 1, 1), await withTurns(store, 1, 2)]
    await store.updateConversation(SESSION, pinned, { pinned: true })
    const key = await begin(store, running)
    t.strictSame(await store.deleteConversations({ sessionId: SESSION }, 9), { conversations: 2, turns: 3 })
    t.equal(await store.finishTurn(key, COMPLETED), false)
  })

  t.test(
    'a batch has the oldest, and no more turns than asked for but in one conversation alone',
    async (t) => {
      const store = await start(t)
      const ids: string[] = []
      // The newest has the smallest id.
      for (const [count, activeAt] of [
        [9, 6],
        [0, 5],
        [1, 4],
        [4, 3],
        [2, 2],
        [3, 1]
      ] as const)
        ids.unshift(await withTurns(store, count, activeAt))
      const batches: [conversations: number, turns: number][] = [
        [2, 5],
        [2, 5],
        [1, 0],
        [1, 9],
        [0, 0]
      ]
      let gone = 0
      for (const [conversations, turns] of batches) {
        t.strictSame(await store.deleteConversations({ expiredBefore: 7 }, 5), { conversations, turns })
        gone += conversations
        t.strictSame(await idsIn(store), ids.slice(gone).toSorted())
      }
    }
  )

  t.test('turns are counted as they are there, not as they were numbered', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const keys = [await exchange(store, id), await exchange(store, id), await exchange(store, id)]
    if (keys[1]) await store.changeTurn(SESSION, keys[1], () => null)
    t.strictSame(await store.deleteConversations({ sessionId: SESSION }, 100), { conversations: 1, turns: 2 })
  })

  t.test('more than are read at once are counted and deleted', async (t) => {
    const store = await start(t)
    const metadata = { group: 'many' }
    const decoy = { 'x"group': 'many' }
    await Promise.all(seqs(110).map((n) => withTurns(store, 0, n, { metadata: decoy })))
    await Promise.all(seqs(110).map((n) => withTurns(store, 0, 200 + n, { metadata })))
    for (const which of [{ metadata }, { metadata, expiredBefore: 1000 }])
      t.equal(await store.countConversations(which, 1000), 110)
    t.equal(await store.countConversations({ metadata }, 105), 105)
    let deleted = 0
    for (const which of [{ metadata, expiredBefore: 231 }, { metadata }])
      for (let batch = NOTHING; ; deleted += batch.conversations) {
        batch = await store.deleteConversations(which, 40)
        if (batch.conversations === 0) break
        t.ok(batch.conversations <= 40)
      }
    t.equal(deleted, 110)
    t.equal(await store.countConversations({ metadata: decoy }, 1000), 110)
  })

  t.test('deletions at the same time delete each conversation once', async (t) => {
    const store = await start(t)
    await Promise.all(seqs(30).map((n) => withTurns(store, 2, n)))
    const sums = { ...NOTHING }
    const work = async (): Promise<void> => {
      while ((await store.countConversations({ expiredBefore: 100 }, 1)) > 0) {
        const batch = await store.deleteConversations({ expiredBefore: 100 }, 6)
        sums.conversations += batch.conversations
        sums.turns += batch.turns
      }
    }
    await Promise.all([work(), work(), work(), work()])
    t.strictSame(sums, { conversations: 30, turns: 60 })
  })

  t.test('a turn that begins while conversations are deleted is refused, or stays', async (t) => {
    const store = await start(t)
    const ids = await Promise.all(seqs(30).map((n) => withTurns(store, 1, n)))
    let deleted = 0
    const sweep = async (): Promise<void> => {
      for (const _ of seqs(8)) {
        const batch = await store.deleteConversations({ expiredBefore: 100 }, 2)
        deleted += batch.conversations
      }
    }
    // As old as the others: nothing but that it runs can save it.
    const use = async (id: string) => {
      const begun = await store.beginTurn(newTurn(id, { createdAt: 1 }))
      return { id, begun: begun?.outcome === 'begun' }
    }
    const [used] = await Promise.all([Promise.all(ids.toReversed().map(use)), sweep(), sweep()])
    for (const { id, begun } of used) {
      const turns = await allTurns(store, id)
      t.strictSame(
        turns.map(({ status }) => status),
        begun ? ['completed', 'in_progress'] : []
      )
    }
    t.equal(used.filter(({ begun }) => !begun).length, deleted)
  })
}

export default chosenConversations
