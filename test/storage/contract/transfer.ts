import type { Conversation, Store, Turn } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import {
  allTurns,
  begin,
  CUT_OFF,
  createConversation,
  exchange,
  FAILED,
  newConversation,
  SESSION,
  seqs
} from './rows.ts'

/** A conversation as another store would hand it over. */
function foreignConversation(changes: Partial<Conversation> = {}): Conversation {
  const { createdAt, ...rest } = newConversation({ title: 'Grüße', model: 'm', metadata: { ä: '\0' } })
  return { ...rest, pinned: true, lastSeq: 3, createdAt, activeAt: createdAt + 5, ...changes }
}

function foreignTurn(conversationId: string, seq: number, changes: Partial<Turn> = {}): Turn {
  return {
    id: newId('turn'),
    conversationId,
    seq,
    parentSeq: seq - 1,
    attempt: 2,
    kind: 'response',
    superseded: false,
    model: 'm',
    metadata: { seq: `${seq}` },
    userText: `question ${seq}`,
    assistantText: `answer ${seq}`,
    status: 'completed',
    finishReason: 'stop',
    error: null,
    completionId: `chatcmpl-${seq}`,
    detail: { seq },
    createdAt: seq,
    ...changes
  }
}

async function exportAll(store: Store): Promise<string[]> {
  return (await store.exportConversations(null, 1000)).map(({ id }) => id)
}

const transfer: ContractPart = (t, start) => {
  t.test('an export gives the conversations of all sessions by id, in pages', async (t) => {
    const store = await start(t)
    t.strictSame(await store.exportConversations(null, 10), [])
    const created: Conversation[] = []
    for (const sessionId of ['c', 'a', 'b', 'a', 'c'])
      created.push(await createConversation(store, { sessionId }))
    t.strictSame(await store.exportConversations(null, 10), created)
    t.strictSame(await store.exportConversations(null, 5), created)
    t.strictSame(await store.exportConversations(null, 2), created.slice(0, 2))
    t.strictSame(await store.exportConversations(created[1]?.id ?? '', 2), created.slice(2, 4))
    t.strictSame(await store.exportConversations(created[4]?.id ?? '', 2), [])
  })

  t.test('a conversation and its turns are imported as they are', async (t) => {
    const store = await start(t)
    const conversation = foreignConversation()
    const { id } = conversation
    const turns = [
      foreignTurn(id, 1),
      foreignTurn(id, 2, {
        superseded: true,
        status: 'failed',
        error: 'upstream_error',
        assistantText: null
      }),
      foreignTurn(id, 3, {
        parentSeq: 1,
        detail: null,
        userText: null,
        finishReason: null,
        completionId: null
      })
    ]
    await store.importConversation(conversation)
    await store.importTurns(turns)
    t.strictSame(await store.getConversation(SESSION, id), conversation)
    t.strictSame(await allTurns(store, id), turns)
    t.equal(await store.getConversation('bob', id), null)
    t.match(await begin(store, id), { seq: 4, parentSeq: 3 })
  })

  t.test('an import over what is there replaces it, and leaves the other turns', async (t) => {
    const store = await start(t)
    const first = foreignConversation()
    const { id } = first
    await store.importConversation(first)
    const turns = seqs(3).map((seq) => foreignTurn(id, seq))
    await store.importTurns(turns)
    const second = {
      ...first,
      title: null,
      model: 'other',
      metadata: {},
      pinned: false,
      activeAt: 9,
      lastSeq: 4
    }
    await store.importConversation(second)
    t.strictSame(await store.getConversation(SESSION, id), second)
    t.strictSame(await allTurns(store, id), turns)
    const changed = [foreignTurn(id, 2, { assistantText: 'changed', superseded: true }), foreignTurn(id, 4)]
    for (const _ of seqs(2)) await store.importTurns(changed)
    t.strictSame(await allTurns(store, id), [turns[0], changed[0], turns[2], changed[1]])
    t.strictSame(await exportAll(store), [id])
  })

  t.test('500 turns can be imported at once, and none at all', async (t) => {
    const store = await start(t)
    const conversation = foreignConversation({ lastSeq: 500 })
    const turns = seqs(500).map((seq) => foreignTurn(conversation.id, seq))
    await store.importConversation(conversation)
    await store.importTurns(turns)
    await store.importTurns([])
    t.strictSame(await allTurns(store, conversation.id), turns)
  })

  t.test('what is exported from one store and imported into another is the same there', async (t) => {
    const [from, to] = [await start(t), await start(t)]
    for (const sessionId of [SESSION, 'bob', SESSION]) {
      const { id } = await createConversation(from, { sessionId, metadata: { a: '1' } })
      for (const ending of [{}, FAILED, CUT_OFF]) await exchange(from, id, { sessionId }, ending)
      await exchange(from, id, { sessionId, parentSeq: 1 })
      await from.updateConversation(sessionId, id, { pinned: true })
    }
    const conversations = await from.exportConversations(null, 100)
    for (const conversation of conversations) {
      await to.importConversation(conversation)
      await to.importTurns(await allTurns(from, conversation.id, conversation.sessionId))
    }
    t.equal(conversations.length, 3)
    t.strictSame(await to.exportConversations(null, 100), conversations)
    for (const { id, sessionId } of conversations) {
      t.strictSame(await allTurns(to, id, sessionId), await allTurns(from, id, sessionId))
    }
  })
}

export default transfer
