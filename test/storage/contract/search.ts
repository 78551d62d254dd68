import type { Store } from '../../../storage/contract.ts'
import { searchWords } from '../../../storage/search-words.ts'
import type { ContractPart } from '../contract.ts'
import {
  begin,
  COMPLETED,
  createConversation,
  exchange,
  FAILED,
  newConversation,
  oneTurn,
  SESSION
} from './rows.ts'

async function find(store: Store, query: string, more = {}, session = SESSION): Promise<string[]> {
  const page = { limit: 10, order: 'asc', words: searchWords(query), ...more } as const
  return (await store.listConversations(session, page)).data.map(({ id }) => id)
}

const LONG = Array.from({ length: 16_000 }, (_, index) => `w${index}`).join(' ')

/** A text, queries that find it, and queries that do not. */
const texts: [text: string, found: string[], missed: string[]][] = [
  ['The quick brown fox', ['quick', 'FOX quick', 'the  fox!'], ['quic', 'foxes', 'quick dog']],
  ['Grüße aus Köln', ['grüße', 'GRÜSSE'.replace('SS', 'ß'), 'köln'], ['grusse', 'koln']],
  ['Cafe\u0301 au lait', ['café', 'Cafe\u0301'], ['cafe']],
  ['東京タワーは高い', ['東京', 'タワー', '高'], ['大阪']],
  ['สวัสดีครับ', ['สวัสดี'], ['ลาก่อน']],
  ["it's O'Reilly’s", ["it's", 'reilly', "o'reilly’s"], ['its', 'oreilly']],
  ['version 3.14, error 0x1F', ['3.14', '0X1f', '14'], ['314', '15']],
  ['great 🎉 party', ['great', 'party 🎉'], ['greatparty']],
  ['ﬁne Ⅳ ｆｕｌｌ', ['fine', 'iv', 'full'], ['ne']],
  ['Привет, МИР', ['привет', 'мир'], ['приве']],
  [
    `and or not near "quoted" a:b c* -d (e)`,
    ['and', 'or not', 'NEAR', 'quoted', 'a:b', 'c*'],
    ['words', 'ab']
  ],
  ['x'.repeat(300), ['x'.repeat(300), 'x'.repeat(64)], ['x'.repeat(63)]],
  [LONG, ['w0', 'w15999', 'w7 w8000'], ['w16000']],
  ['cut\0here \uD83D lone', ['cut', 'here', 'lone'], ['cuthere']]
]

const search: ContractPart = (t, start) => {
  t.test('a text is found by its words, in a title as in a question or an answer', async (t) => {
    const store = await start(t)
    const places: { [place: string]: (text: string) => Promise<string> } = {
      title: async (title) => (await createConversation(store, { title })).id,
      question: async (userText) => (await exchange(store, await empty(), { userText })).conversationId,
      answer: async (assistantText) =>
        (await exchange(store, await empty(), {}, { assistantText })).conversationId,
      added: async (userText) => {
        const turn = { id: 'turn_1', userText, assistantText: null, detail: null, createdAt: 1 }
        return (await store.createConversation(newConversation(), [turn])).id
      }
    }
    const empty = async () => (await createConversation(store)).id
    for (const [place, put] of Object.entries(places)) {
      for (const [text, found, missed] of texts) {
        const id = await put(text)
        for (const query of found)
          t.strictSame(
            await find(store, query),
            [id],
            `${place}: ${query.slice(0, 40)} in ${text.slice(0, 40)}`
          )
        for (const query of missed)
          t.strictSame(
            await find(store, query),
            [],
            `${place}: no ${query.slice(0, 40)} in ${text.slice(0, 40)}`
          )
        await store.deleteConversation(SESSION, id)
      }
    }
  })

  t.test('all words must be in one place', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store, { title: 'one' })
    await exchange(store, id, { userText: 'two' }, { assistantText: 'three' })
    await exchange(store, id, { userText: 'four' })
    t.strictSame(await find(store, 'three two'), [id], 'a question and its answer are one')
    for (const query of ['one two', 'two four', 'three four'])
      t.strictSame(await find(store, query), [], query)
  })

  t.test('a search finds what there is now: titles and turns that change, end, and go', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store, { title: 'before' })
    const sees = async (words: { [query: string]: boolean }, when: string) => {
      for (const [query, isFound] of Object.entries(words))
        t.strictSame(await find(store, query), isFound ? [id] : [], `${when}: ${query}`)
    }
    await store.updateConversation(SESSION, id, { title: 'after' })
    await sees({ before: false, after: true }, 'a new title')
    await store.updateConversation(SESSION, id, { title: null })
    await sees({ after: false }, 'no title')
    const key = await begin(store, id, { title: 'made', userText: 'asked' })
    await sees({ made: true, asked: false }, 'a running turn')
    await store.recoverTurns('here')
    await sees({ asked: true, replied: false }, 'a recovered turn')
    await store.finishTurn(key, { ...COMPLETED, assistantText: 'replied' })
    await sees({ asked: true, replied: true, 'asked replied': true }, 'a turn that ended after all')
    await store.changeTurn(SESSION, key, (turn) => ({ ...turn, userText: 'otherwise' }))
    await sees({ asked: false, otherwise: true, replied: true }, 'a changed turn')
    await store.changeTurn(SESSION, key, () => null)
    await sees({ otherwise: false, replied: false, made: true }, 'a deleted turn')
    await exchange(store, id, { userText: 'again' }, FAILED)
    await sees({ again: true }, 'a failed turn')
    await store.deleteConversation(SESSION, id)
    await sees({ again: false, made: false }, 'a deleted conversation')
    await createConversation(store, { id })
    await sees({ again: false, made: false }, 'one made anew')
  })

  t.test('superseded turns are not found, until a path leads to them again', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const userText of ['one', 'two', 'three']) await exchange(store, id, { userText })
    const found = async () => {
      const words = ['one', 'two', 'three', 'four', 'five']
      const hits = await Promise.all(words.map(async (word) => (await find(store, word)).length > 0))
      return words.filter((_, index) => hits[index]).join(' ')
    }
    await exchange(store, id, { userText: 'four', parentSeq: 1 })
    t.equal(await found(), 'one four')
    await exchange(store, id, { userText: 'five', parentSeq: 3 })
    t.equal(await found(), 'one two three five')
  })

  t.test('a turn begun again is found with what it ended with', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const request = { requestHash: 'h', retrySince: 0 }
    await exchange(store, id, { ...request, userText: 'asked' }, { ...FAILED, assistantText: 'first' })
    t.strictSame([await find(store, 'asked'), await find(store, 'first')], [[id], [id]])
    const again = await begin(store, id, request)
    t.strictSame([await find(store, 'asked'), await find(store, 'first')], [[], []], 'not while it runs')
    await store.finishTurn(again, { ...COMPLETED, assistantText: 'second' })
    t.strictSame(await find(store, 'first'), [])
    t.strictSame(await find(store, 'asked second'), [id])
  })

  t.test('what is imported is found, and no longer what it replaced', async (t) => {
    const store = await start(t)
    const conversation = await createConversation(store, { title: 'old' })
    const key = await exchange(store, conversation.id, { userText: 'past' })
    const turn = await oneTurn(store, key)
    if (!turn) throw new Error('the turn is gone')
    await store.importConversation({ ...conversation, title: 'new', lastSeq: 2 })
    await store.importTurns([
      { ...turn, userText: 'present' },
      { ...turn, seq: 2, userText: 'gone', superseded: true }
    ])
    const hits = await Promise.all(['old', 'new', 'past', 'present', 'gone'].map((word) => find(store, word)))
    t.strictSame(
      hits.map((ids) => ids.length),
      [0, 1, 0, 1, 0]
    )
  })

  t.test('a search is of one session, is paged, and goes with the other filters', async (t) => {
    const store = await start(t)
    await createConversation(store, { sessionId: 'bob', title: 'common' })
    const ids: string[] = []
    for (const n of [1, 2, 3, 4]) {
      const { id } = await createConversation(store, { title: 'common', metadata: { odd: `${n % 2}` } })
      await createConversation(store, { title: 'other' })
      await exchange(store, id, { userText: 'common' }) // a conversation that is found twice is one
      ids.push(id)
    }
    await store.updateConversation(SESSION, ids[1] ?? '', { pinned: true })
    t.strictSame(await find(store, 'common'), ids)
    t.strictSame(await find(store, 'common', { order: 'desc', limit: 2 }), [ids[3], ids[2]])
    t.strictSame(await find(store, 'common', { after: ids[1] }), ids.slice(2))
    t.strictSame(await find(store, 'common', { before: ids[2], limit: 1 }), [ids[1]])
    t.strictSame(await find(store, 'common', { pinned: true }), [ids[1]])
    t.strictSame(await find(store, 'common', { metadata: { odd: '1' } }), [ids[0], ids[2]])
    t.strictSame(await find(store, 'common', {}, 'nobody'), [])
  })

  t.test('what is no word is not there, and means nothing to the database', async (t) => {
    const store = await start(t)
    await createConversation(store, { title: 'a b c' })
    for (const word of ['a b', '"', "'", 'a" OR "b', "a' | 'b", '*', '\\', 'A', ''])
      t.strictSame(
        (await store.listConversations(SESSION, { limit: 9, order: 'asc', words: [word] })).data,
        [],
        word
      )
  })
}

export default search
