import type { Store } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import { allTurns, createConversation, exchange, newTurn, SESSION } from './rows.ts'

const ADDED = { id: newId('turn'), userText: 'x', assistantText: null, detail: null, createdAt: 1 }

/** Every method that names a conversation, and what it gives when there is none for the session. */
const calls: {
  [method: string]: [(store: Store, session: string, id: string) => Promise<unknown>, unknown]
} = {
  getConversation: [(store, session, id) => store.getConversation(session, id), null],
  'updateConversation with a title': [
    (store, session, id) => store.updateConversation(session, id, { title: 'Stolen' }),
    null
  ],
  'updateConversation with everything': [
    (store, session, id) => store.updateConversation(session, id, { title: 'x', metadata: {}, pinned: true }),
    null
  ],
  'updateConversation with nothing': [
    (store, session, id) => store.updateConversation(session, id, {}),
    null
  ],
  deleteConversation: [(store, session, id) => store.deleteConversation(session, id), false],
  beginTurn: [
    (store, sessionId, id) => store.beginTurn(newTurn(id, { sessionId, title: 'x', model: 'x' })),
    null
  ],
  addTurns: [(store, session, id) => store.addTurns(session, id, [ADDED], null), null],
  changeTurn: [
    (store, session, conversationId) =>
      store.changeTurn(session, { id: 'turn_1', conversationId, seq: 1 }, () => null),
    false
  ],
  'beginTurn with a parent': [
    (store, sessionId, id) => store.beginTurn(newTurn(id, { sessionId, parentSeq: 1 })),
    null
  ],
  'beginTurn with an impossible parent': [
    (store, sessionId, id) => store.beginTurn(newTurn(id, { sessionId, parentSeq: 99 })),
    null
  ],
  listTurns: [(store, session, id) => store.listTurns(session, id, { limit: 10, order: 'asc' }), null],
  'listTurns after a seq': [
    (store, session, id) => store.listTurns(session, id, { limit: 10, order: 'desc', afterSeq: 1 }),
    null
  ],
  listMarks: [(store, session, id) => store.listMarks(session, id, { limit: 10, order: 'asc' }), []],
  'findMarks in a conversation': [
    (store, session, conversationId) =>
      store.findMarks(session, { tips: ['a'], asked: ['a'], answer: 'a', conversationId }),
    []
  ]
}

const isolation: ContractPart = (t, start) => {
  for (const [method, [call, nothing]] of Object.entries(calls)) {
    t.test(`${method}: a foreign conversation is as one that never was, and stays as it is`, async (t) => {
      const store = await start(t)
      const { id } = await createConversation(store, { title: 'Mine', model: 'm', metadata: { a: '1' } })
      const marked = { tipMark: 'a', answerMark: 'a' }
      for (const _ of [1, 2]) await exchange(store, id, { askedMark: 'a' }, marked)
      const before = [await store.getConversation(SESSION, id), await allTurns(store, id)]
      for (const session of ['bob', 'Alice', 'alice ', 'alic', 'alice2', '%', '*', '']) {
        t.strictSame(await call(store, session, id), nothing, `the session ${JSON.stringify(session)}`)
      }
      for (const unknown of [
        newId('conv'),
        'conv_1',
        '',
        '..',
        '../alice',
        '/etc/passwd',
        `${id}0`,
        'ünknown'
      ]) {
        t.strictSame(await call(store, SESSION, unknown), nothing, `the id ${JSON.stringify(unknown)}`)
      }
      t.strictSame([await store.getConversation(SESSION, id), await allTurns(store, id)], before)
      const page = { limit: 10, order: 'asc' } as const
      t.equal((await store.listConversations(SESSION, page)).data.length, 1, 'nothing was made')
      t.strictSame(await store.listConversations('bob', page), { data: [], hasMore: false })
    })
  }

  t.test('a session sees its own conversations alone', async (t) => {
    const store = await start(t)
    const sessions = [SESSION, 'Alice', 'bob', "o'brien; --", 'a/../b', 'x'.repeat(256)]
    for (const sessionId of sessions) await createConversation(store, { sessionId, title: sessionId })
    for (const sessionId of sessions) {
      const { data } = await store.listConversations(sessionId, { limit: 10, order: 'asc' })
      t.strictSame(
        data.map(({ title }) => title),
        [sessionId]
      )
      t.equal(data[0]?.sessionId, sessionId)
    }
  })
}

export default isolation
