import t from 'tap'
import type { Store } from '../../storage/contract.ts'
import { asEnded, copyStore } from '../../storage/transfer/copy.ts'
import { verifyCopy } from '../../storage/transfer/verify.ts'
import { openDatabase } from '../helper/database.ts'
import { addConversation, openTestStore, sqliteUrl } from '../helper/transfer.ts'

const DAMAGES: [title: string, sql: string, reason: RegExp][] = [
  ['another text', "update turns set assistant_text = 'other' where seq = 2", /^differs/],
  ['a text that is gone', 'update turns set user_text = null where seq = 2', /^differs/],
  ['another status', "update turns set status = 'failed' where seq = 1", /^differs/],
  ['a running turn', "update turns set status = 'in_progress' where seq = 1", /^differs/],
  ['another parent', 'update turns set parent_seq = 0 where seq = 3', /^differs/],
  ['a mark of superseded', 'update turns set superseded = 1 where seq = 3', /^differs/],
  ['another detail', `update turns set detail = '{"a":2}' where seq = 1`, /^differs/],
  [
    'detail that is no JSON',
    `update turns set detail = '{"a"' where seq = 1`,
    /^cannot be read in the target/
  ],
  ['another title', "update conversations set title = 'other'", /^differs/],
  ['another pin', 'update conversations set pinned = 1', /^differs/],
  ['other metadata', `update conversations set metadata = '{"a":"2"}'`, /^differs/],
  ['another instant', 'update conversations set active_at = active_at + 1', /^differs/],
  ['a missing turn', 'delete from turns where seq = 2', /^has 2 turns in the target, 3 in the source/],
  ['another owner', "update conversations set session_id = 'mallory'", /^is missing in the target/],
  ['a missing conversation', 'delete from conversations', /^is missing in the target/]
]

for (const [title, sql, reason] of DAMAGES) {
  t.test(`${title} in the target is found, and the conversation named`, async (t) => {
    const url = sqliteUrl(t)
    const [from, to] = [await openTestStore(t, sqliteUrl(t)), await openTestStore(t, url)]
    const { id } = await addConversation(from, 3, () => ({ detail: { a: 1 } }))
    t.equal((await copyStore(from, to)).problems.size, 0)
    openDatabase(t, url).exec(sql)
    const { differing } = await verifyCopy(from, to, asEnded)
    t.strictSame([...differing.keys()], [id])
    t.match(differing.get(id), reason)
  })
}

t.test('the damage is in one conversation, and the others are still compared', async (t) => {
  const url = sqliteUrl(t)
  const [from, to] = [await openTestStore(t, url), await openTestStore(t, sqliteUrl(t))]
  const [damaged, whole] = [await addConversation(from, 3), await addConversation(from, 1)]
  openDatabase(t, url).exec("update turns set detail = '{' where seq = 3")
  const report = await copyStore(from, to)
  t.strictSame([...report.problems.keys()], [damaged.id])
  t.match(report, { conversations: 1, turns: 1, verification: { source: { conversations: 1 } } })
  t.strictSame(await to.getConversation(whole.sessionId, whole.id), whole)
})

t.test('a store that fails names the conversation it failed at', async (t) => {
  const [from, to]: Store[] = [await openTestStore(t, sqliteUrl(t)), await openTestStore(t, sqliteUrl(t))]
  if (!from || !to) throw new Error('no stores')
  const { id } = await addConversation(from, 1)
  await to.close()
  await t.rejects(copyStore(from, to), { name: 'StoreError', message: new RegExp(id) })
})
