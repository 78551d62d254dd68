import t from 'tap'
import { tempFolder } from '../helper/app.ts'
import { openTestStore } from '../helper/transfer.ts'
import { allTurns, begin, createConversation, SESSION, seqs } from './contract/rows.ts'

const OLD = { createdAt: 1 }
const EXPIRED = { expiredBefore: 100 }

t.test('a conversation that is being written to when it is chosen stays', async (t) => {
  const store = await openTestStore(t, `filejson:${tempFolder(t)}`)
  for (const _ of seqs(20)) {
    const { id } = await createConversation(store, OLD)
    // The deletion looks at the old file and waits for its turn; as old as before, only that it runs can save it.
    const [key, batch] = await Promise.all([begin(store, id, OLD), store.deleteConversations(EXPIRED, 10)])
    t.strictSame(batch, { conversations: 0, turns: 0 })
    t.match(await allTurns(store, id), [{ id: key.id, status: 'in_progress' }])
    await store.deleteConversation(SESSION, id)
  }
})
