import type { JsonObject } from '../../../storage/contract.ts'
import type { ContractPart } from '../contract.ts'
import { allTurns, begin, COMPLETED, createConversation, exchange, oneTurn, SESSION, seqs } from './rows.ts'

const IMAGE = `data:image/png;base64,${'iVBORw0KGgo'.repeat(300)}`
const REFERENCE = `media:sha256:${'0123456789abcdef'.repeat(4)}`

const details: { [title: string]: JsonObject } = {
  'an image': { input: [{ image_url: { url: IMAGE } }] },
  'the same twice': { a: IMAGE, b: [IMAGE] },
  'several images': { list: seqs(5).map((n) => `data:${n},${'x'.repeat(2_000 + n)}`) },
  'data of 1,023 characters': { a: `data:,${'x'.repeat(1_017)}` },
  'data of 1,024 characters': { a: `data:,${'x'.repeat(1_018)}` },
  'data with NUL, quotes and lone surrogates': { a: `data:,\0"\\\uD800\n${'x'.repeat(2_000)}` },
  'a forged reference': { a: REFERENCE, b: [{ c: REFERENCE }], d: 'media:sha256:' },
  'a reference in a text': { a: `see "${REFERENCE}" there`, b: ` ${REFERENCE}` },
  'keys that look like media': JSON.parse(`{"${REFERENCE}":"${IMAGE}","__proto__":"${IMAGE}","${IMAGE}":1}`)
}

const media: ContractPart = (t, start) => {
  t.test('media in a detail comes back exactly, key order included', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    for (const [title, detail] of Object.entries(details)) {
      const expected = JSON.stringify(detail)
      const key = await begin(store, id, { detail })
      t.equal(JSON.stringify((await oneTurn(store, key))?.detail), expected, `${title}, begun`)
      await store.finishTurn(key, { ...COMPLETED, detail: { ...detail, more: 1 } })
      const ended = JSON.stringify({ ...detail, more: 1 })
      t.equal(JSON.stringify((await oneTurn(store, key))?.detail), ended, `${title}, ended`)
      t.equal(JSON.stringify((await store.findTurn(SESSION, key))?.detail), ended, `${title}, found`)
      await store.changeTurn(SESSION, key, (turn) => {
        t.equal(JSON.stringify(turn.detail), ended, `${title}, to be changed`)
        return { ...turn, detail }
      })
      t.equal(JSON.stringify((await oneTurn(store, key))?.detail), expected, `${title}, changed`)
    }
    const turns = await allTurns(store, id)
    const listed = await store.listSessionTurns(SESSION, { kind: 'chat', limit: 100, order: 'asc' })
    t.strictSame(
      listed.data.map(({ detail }) => JSON.stringify(detail)),
      Object.values(details).map((detail) => JSON.stringify(detail))
    )
    const other = await createConversation(store)
    const imported = turns.map((turn) => ({ ...turn, conversationId: other.id }))
    await store.importTurns(imported)
    t.strictSame(await allTurns(store, other.id), imported, 'imported')
  })

  t.test('media stays as long as one turn of its conversation has it', async (t) => {
    const store = await start(t)
    const [one, other] = [await createConversation(store), await createConversation(store)]
    const detail = { a: IMAGE }
    const keys = []
    for (const { id } of [one, one, one, other]) keys.push(await exchange(store, id, { detail }, { detail }))
    const [first, second, third, fourth] = keys
    if (!first || !second || !third || !fourth) throw new Error('four turns')
    await store.changeTurn(SESSION, first, () => null)
    await store.changeTurn(SESSION, second, (turn) => ({ ...turn, detail: null }))
    t.strictSame((await oneTurn(store, third))?.detail, detail)
    await store.changeTurn(SESSION, third, () => null)
    t.strictSame((await oneTurn(store, fourth))?.detail, detail)
    const again = await exchange(store, one.id, { detail }, { detail })
    t.strictSame((await oneTurn(store, again))?.detail, detail, 'and comes again')
    await store.deleteConversation(SESSION, one.id)
    t.strictSame((await oneTurn(store, fourth))?.detail, detail)
  })

  t.test('turns that come and go at once lose no media', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const detail = { a: IMAGE }
    const use = async (n: number) => {
      const key = await exchange(store, id, { detail }, { detail })
      if (n % 2) await store.changeTurn(SESSION, key, () => null)
    }
    await Promise.all(seqs(12).map(use))
    t.strictSame(
      (await allTurns(store, id)).map((turn) => turn.detail),
      Array(6).fill(detail)
    )
  })
}

export default media
