import t from 'tap'
import type { ConversationPage, Store } from '../../storage/contract.ts'
import { newId } from '../../storage/ids.ts'
import { eventually } from '../helper/endings.ts'
import { startDatabase } from '../helper/postgres.ts'
import { connect } from '../helper/postgres-client.ts'
import { openTestStore, sqliteUrl, withStore } from '../helper/transfer.ts'

/** More than are looked up by the index, and of two sessions. */
const COUNT = 2_400
const SESSIONS = ['alice', 'bob']

/** Conversations with a word that all have, one that every third has, and one that few have. */
const conversations = Array.from({ length: COUNT }, (_, at) => ({
  id: newId('conv'),
  sessionId: SESSIONS[at % 2] ?? '',
  title: `all ${at % 3 === 0 ? 'third' : 'other'} ${at % 600 < 2 ? 'rare' : ''} n${at}`,
  model: null,
  metadata: { of: String(at % 5) },
  createdAt: 1
}))

async function fill(store: Store): Promise<void> {
  for (const [at, conversation] of conversations.entries()) {
    await store.createConversation(conversation)
    if (at % 7 === 0)
      await store.updateConversation(conversation.sessionId, conversation.id, { pinned: true })
  }
}

const MIDDLE = conversations[COUNT / 2]?.id
const PLACES = [{}, { after: MIDDLE }, { before: MIDDLE }]
const FILTERS = [{}, { pinned: true }, { metadata: { of: '3' } }]
const WORDS = [
  ['all'],
  ['third'],
  ['rare'],
  ['all', 'rare'],
  ['all', 'third'],
  ['absent'],
  ['n7'],
  ['all', 'n8']
]

function pages(): ConversationPage[] {
  return WORDS.flatMap((words) =>
    PLACES.flatMap((place) =>
      FILTERS.flatMap((filter) =>
        (['asc', 'desc'] as const).map((order) => ({ limit: 7, order, words, ...place, ...filter }))
      )
    )
  )
}

t.test('a search finds the same by the index, by a walk, and in another database', async (t) => {
  const url = await startDatabase()
  const store = await openTestStore(t, url)
  const other = await openTestStore(t, sqliteUrl(t))
  await fill(store)
  await fill(other)
  const client = await connect(t, url)
  const compare = async (state: string) => {
    for (const sessionId of SESSIONS)
      for (const page of pages())
        t.strictSame(
          await store.listConversations(sessionId, page),
          await other.listConversations(sessionId, page),
          `${state}, ${sessionId}: ${JSON.stringify(page)}`
        )
  }
  await client.query('alter table search_entries set (autovacuum_enabled = off)')
  await compare('without statistics')
  await client.query('analyze search_entries')
  await compare('with statistics')
})

t.test('for a word that nothing has, no conversation is read', async (t) => {
  const url = await startDatabase()
  await withStore(url, fill) // its connections have told what they read once they are closed
  const client = await connect(t, url)
  await client.query('analyze')
  const read = async () => {
    const { rows } = await client.query(
      `select seq_tup_read + idx_tup_fetch as read from pg_stat_user_tables where relname = 'conversations'`
    )
    return Number(rows[0].read)
  }
  const find = (words: string[]) =>
    withStore(url, (store) => store.listConversations('alice', { limit: 20, order: 'desc', words }))
  const before = await read()
  t.strictSame((await find(['absent'])).data, [])
  t.equal((await find(['n8'])).data.length, 1)
  await eventually('the one that is found has been read', async () => (await read()) > before)
  t.equal((await read()) - before, 1)
})
