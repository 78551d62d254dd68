import type { JsonObject } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import { begin, COMPLETED, createConversation, exchange, newTurn, oneTurn, SESSION } from './rows.ts'

/** What is given, and what comes back where that is not the same. */
const texts: [given: string, kept?: string][] = [
  [''],
  [' \t\r\n '],
  ['Grüße, 世界, مرحبا, 👩‍👩‍👧‍👦, e\u0301, \u{10FFFF}, \uFEFF, \u2028'],
  ['\u0001\u001F\u007F\u0085'],
  [`'; drop table turns; -- " \\ \\u0000 \${x} %s $1 ?`],
  ['a\0b\0', 'a\uFFFDb\uFFFD'],
  ['\uD83D cut \uDE00', '\uFFFD cut \uFFFD'],
  ['\uDE00\uD83D', '\uFFFD\uFFFD'],
  ['\uFFFD \uFFFE']
]

const strings = texts.map(([given]) => given)

/** Through `JSON.parse`, because in a literal `__proto__` would set the prototype. */
const objects: { [title: string]: JsonObject } = {
  empty: {},
  'every type': {
    null: null,
    yes: true,
    no: false,
    zero: 0,
    text: '',
    list: [],
    object: {},
    mixed: [1, 'a', null, [{}]]
  },
  numbers: {
    numbers: [
      1e21,
      1e-7,
      0.1,
      -1.5,
      5e-324,
      1.7976931348623157e308,
      9007199254740991,
      -9007199254740991,
      1e15 / 3
    ]
  },
  'the order of keys': { z: 1, a: 2, m: 3, Z: 4, ä: 5 },
  'keys that mean something elsewhere': JSON.parse(
    '{"__proto__":{"a":1},"constructor":{"prototype":{}},"toString":"x","":"empty","$ref":"#","a.b":1,"a\\u0000b":1}'
  ),
  strings: Object.fromEntries(strings.map((text) => [text, text])),
  deep: JSON.parse(`${'{"a":['.repeat(200)}${']}'.repeat(200)}`),
  big: {
    parts: Array.from({ length: 5000 }, (_, index) => ({ index, text: `part ${index}`.repeat(10), ok: true }))
  }
}

const exactness: ContractPart = (t, start) => {
  t.test('a text comes back as it was given, save NUL and lone surrogates', async (t) => {
    const store = await start(t)
    for (const [text, kept = text] of texts) {
      const { id, ...created } = await createConversation(store, { title: text, model: text })
      t.match(created, { title: kept, model: kept })
      t.match(await store.getConversation(SESSION, id), { title: kept, model: kept })
      const answer = { assistantText: text, finishReason: text, completionId: text }
      const key = await exchange(store, id, { userText: text }, answer)
      t.match(await oneTurn(store, key), {
        userText: kept,
        assistantText: kept,
        finishReason: kept,
        completionId: kept
      })
    }
  })

  t.test('so do titles and models that come with a turn or an update', async (t) => {
    const store = await start(t)
    for (const [text, kept = text] of texts) {
      const withTurn = newId('conv')
      await store.beginTurn(newTurn(withTurn, { create: true, title: text, model: text }))
      t.match(await store.getConversation(SESSION, withTurn), { title: kept, model: kept })
      const { id } = await createConversation(store)
      await begin(store, id, { title: text, model: text })
      t.match(await store.getConversation(SESSION, id), { title: kept, model: kept })
      await store.updateConversation(SESSION, id, { title: 'other' })
      t.equal((await store.updateConversation(SESSION, id, { title: text }))?.title, kept)
      t.equal((await store.getConversation(SESSION, id))?.title, kept)
    }
  })

  t.test('no text is not the empty text', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const nothing = { assistantText: null, finishReason: null, completionId: null }
    const key = await exchange(store, id, { userText: null }, nothing)
    t.match(await oneTurn(store, key), { userText: null, ...nothing, detail: null })
  })

  t.test('detail comes back exactly, key order included', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const [title, detail] of Object.entries(objects)) {
      const key = await begin(store, id, { detail })
      t.equal(JSON.stringify((await oneTurn(store, key))?.detail), JSON.stringify(detail), `${title}, begun`)
      await store.finishTurn(key, { ...COMPLETED, detail: { again: detail } })
      t.equal(
        JSON.stringify((await oneTurn(store, key))?.detail),
        JSON.stringify({ again: detail }),
        `${title}, ended`
      )
    }
  })

  t.test('metadata comes back exactly, key order included', async (t) => {
    const store = await start(t)
    const cases: Record<string, string>[] = [
      {},
      { z: '1', a: '2', ä: '3', 世界: '4', '👋🏽': '5', '': '6', 'a.b[c]': '7' },
      JSON.parse('{"__proto__":"1","constructor":"2","hasOwnProperty":"3"}'),
      Object.fromEntries(strings.map((text, index) => [text || `key ${index}`, text]))
    ]
    for (const metadata of cases) {
      const expected = JSON.stringify(metadata)
      const { id, ...created } = await createConversation(store, { metadata })
      t.equal(JSON.stringify(created.metadata), expected)
      t.equal(JSON.stringify((await store.getConversation(SESSION, id))?.metadata), expected)
      await store.updateConversation(SESSION, id, { metadata: { other: 'x' } })
      t.equal(JSON.stringify((await store.updateConversation(SESSION, id, { metadata }))?.metadata), expected)
      const { data } = await store.listConversations(SESSION, { limit: 1, order: 'desc' })
      t.equal(JSON.stringify(data[0]?.metadata), expected)
    }
  })

  t.test('texts of a megabyte come back whole', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const userText = 'é€😀'.repeat(120_000)
    const assistantText = 'line\n'.repeat(210_000)
    const key = await exchange(store, id, { userText }, { assistantText, detail: { raw: userText } })
    const turn = await oneTurn(store, key)
    t.ok(turn?.userText === userText && turn.assistantText === assistantText && turn.detail?.raw === userText)
  })

  t.test('instants come back to the millisecond', async (t) => {
    const store = await start(t)
    for (const createdAt of [0, 1, 1_700_000_000_001, 4_102_444_800_999]) {
      const { id } = await createConversation(store, { createdAt })
      const key = await begin(store, id, { createdAt: createdAt + 1 })
      t.match(await store.getConversation(SESSION, id), { createdAt, activeAt: createdAt + 1 })
      t.equal((await oneTurn(store, key))?.createdAt, createdAt + 1)
    }
  })
}

export default exactness
