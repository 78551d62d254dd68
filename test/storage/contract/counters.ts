import type { Store } from '../../../storage/contract.ts'
import type { ContractPart } from '../contract.ts'
import { newKey } from './api-keys.ts'
import { COMPLETED, newConversation, newTurn, SESSION } from './rows.ts'

const conversation = newConversation()
const turn = newTurn(conversation.id)
const key = { id: turn.id, conversationId: conversation.id, seq: 1, parentSeq: 0, attempt: 1 }

const apiKey = newKey()
const added = { id: newTurn('').id, userText: null, assistantText: null, detail: null, createdAt: 1 }

/** In an order in which each write has something to write. */
const writes: { [method: string]: (store: Store) => Promise<unknown> } = {
  createConversation: (store) => store.createConversation(conversation),
  updateConversation: (store) => store.updateConversation(SESSION, conversation.id, { pinned: true }),
  beginTurn: (store) => store.beginTurn(turn),
  finishTurn: (store) => store.finishTurn(key, COMPLETED),
  'beginTurn with a parent': (store) => store.beginTurn({ ...newTurn(conversation.id), parentSeq: 0 }),
  addTurns: (store) => store.addTurns(SESSION, conversation.id, [added], null),
  changeTurn: (store) => store.changeTurn(SESSION, { ...added, ...key, id: added.id, seq: 3 }, () => null),
  beat: (store) => store.beat('here'),
  recoverTurns: (store) => store.recoverTurns('here'),
  deleteConversation: (store) => store.deleteConversation(SESSION, conversation.id),
  'createConversation with turns': (store) => store.createConversation(newConversation(), [added]),
  deleteConversations: (store) => store.deleteConversations({ sessionId: SESSION }, 10),
  'keys.add': (store) => store.keys.add(apiKey),
  'keys.remove': (store) => store.keys.remove(apiKey.id)
}

const reads: { [method: string]: (store: Store) => Promise<unknown> } = {
  ping: (store) => store.ping(),
  getConversation: (store) => store.getConversation(SESSION, conversation.id),
  listConversations: (store) => store.listConversations(SESSION, { limit: 10, order: 'asc' }),
  findTurn: (store) => store.findTurn(SESSION, { id: turn.id }),
  listSessionTurns: (store) => store.listSessionTurns(SESSION, { kind: 'chat', limit: 10, order: 'asc' }),
  listTurns: (store) => store.listTurns(SESSION, conversation.id, { limit: 10, order: 'asc' }),
  countConversations: (store) => store.countConversations({ expiredBefore: 1 }, 10),
  'keys.find': (store) => store.keys.find(apiKey.id),
  'keys.list': (store) => store.keys.list()
}

const counters: ContractPart = (t, start) => {
  t.test('a write on its own is one transaction, and a read is none', async (t) => {
    const store = await start(t)
    for (const [method, write] of Object.entries(writes)) {
      const before = { ...store.counters }
      await write(store)
      const expected = { transactions: before.transactions + 1, writes: before.writes + 1 }
      t.strictSame({ ...store.counters }, expected, method)
      for (const [read, call] of Object.entries(reads)) {
        await call(store)
        t.strictSame({ ...store.counters }, expected, read)
      }
    }
  })

  t.test('every write is counted, however many share a transaction', async (t) => {
    const store = await start(t)
    const before = { ...store.counters }
    await Promise.all(Array.from({ length: 50 }, () => store.createConversation(newConversation())))
    t.equal(store.counters.writes - before.writes, 50)
    t.ok(store.counters.transactions - before.transactions <= 50)
  })

  t.test('ping resolves on a store that is ready', async (t) => {
    const store = await start(t)
    await t.resolves(store.ping())
  })
}

export default counters
