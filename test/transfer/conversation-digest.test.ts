import t from 'tap'
import { digestConversation } from '../../storage/transfer/conversation-digest.ts'
import { addConversation, contentOf, openTestStore, sqliteUrl } from '../helper/transfer.ts'

t.test('texts count as what a store makes of them, and every one of them counts', async (t) => {
  const store = await openTestStore(t, sqliteUrl(t))
  await addConversation(store, 1, undefined, { title: 'T' })
  const [
    {
      conversation,
      turns: [turn]
    } = { turns: [] }
  ] = await contentOf(store)
  if (!conversation || !turn) throw new Error('nothing there')
  const digestOf = async (changes: object, ofTurn: object) =>
    (await digestConversation({ ...conversation, ...changes }, [[{ ...turn, ...ofTurn }]])).digest
  const plain = await digestOf({}, {})
  t.match(plain, /^[0-9a-f]{64}$/)
  for (const field of ['title', 'model']) {
    const raw = await digestOf({ [field]: 'a\0\ud800' }, {})
    t.equal(raw, await digestOf({ [field]: 'a\ufffd\ufffd' }, {}), field)
    t.not(raw, plain, field)
  }
  for (const field of ['userText', 'assistantText', 'finishReason', 'completionId']) {
    const raw = await digestOf({}, { [field]: 'a\0\ud800' })
    t.equal(raw, await digestOf({}, { [field]: 'a\ufffd\ufffd' }), field)
    t.not(raw, plain, field)
  }
  t.not(await digestOf({}, { detail: { a: '\0' } }), await digestOf({}, { detail: { a: '\ufffd' } }))
})
