import type { SessionTurnPage, Store } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { ContractPart } from '../contract.ts'
import { begin, CUT_OFF, createConversation, exchange, FAILED, oneTurn, SESSION } from './rows.ts'

/** Turns in an order of their own, beside those of another session, another kind, and others not completed. */
async function sixTurns(store: Store): Promise<string[]> {
  const [one, other] = [(await createConversation(store)).id, (await createConversation(store)).id]
  const foreign = (await createConversation(store, { sessionId: 'bob' })).id
  const ids: string[] = []
  for (const [index, completionId] of ['a', 'b', 'a', null, 'b', 'a'].entries()) {
    const metadata = { n: `${index}`, odd: index % 2 === 1 ? 'yes' : 'no' }
    const model = index < 3 ? 'small' : 'large'
    const changes = { metadata, kind: 'chat' } as const
    ids.push((await exchange(store, index % 2 ? one : other, changes, { completionId, model })).id)
    await exchange(store, one, { ...changes, kind: 'response' }, { completionId: 'a', model })
    await exchange(store, foreign, { ...changes, sessionId: 'bob' }, { completionId: 'a', model })
    await exchange(store, other, changes, { ...FAILED, completionId: 'a', model })
  }
  await begin(store, one)
  return ids
}

const sessionTurns: ContractPart = (t, start) => {
  const chat = { kind: 'chat', limit: 10, order: 'asc' } as const
  const pages: { page: Partial<SessionTurnPage>; after?: number; turns: string; hasMore?: boolean }[] = [
    { page: {}, turns: '0 1 2 3* 4* 5*' },
    { page: { order: 'desc' }, turns: '5* 4* 3* 2 1 0' },
    { page: { limit: 2 }, turns: '0 1', hasMore: true },
    { page: { limit: 6 }, turns: '0 1 2 3* 4* 5*' },
    { page: { limit: 2 }, after: 1, turns: '2 3*', hasMore: true },
    { page: { limit: 2, order: 'desc' }, after: 2, turns: '1 0' },
    { page: {}, after: 5, turns: '' },
    { page: { model: 'small' }, turns: '0 1 2' },
    { page: { model: 'none' }, turns: '' },
    { page: { metadata: { odd: 'no' } }, turns: '0 2 4*' },
    { page: { metadata: { odd: 'no' }, limit: 1 }, turns: '0', hasMore: true },
    { page: { metadata: { odd: 'yes', n: '3' } }, turns: '3*' },
    { page: { metadata: { odd: 'maybe' } }, turns: '' },
    { page: { metadata: { odd: 'yes' }, model: 'small', order: 'desc' }, turns: '1' }
  ]

  t.test('the session’s completed turns of a kind are paged by id, with what narrows them', async (t) => {
    const store = await start(t)
    const ids = await sixTurns(store)
    for (const { page, after, turns, hasMore = false } of pages) {
      const cursor = after === undefined ? {} : { after: ids[after] }
      const found = await store.listSessionTurns(SESSION, { ...chat, ...page, ...cursor })
      const shown = found.data.map((turn) => `${ids.indexOf(turn.id)}${turn.newestOfItsId ? '*' : ''}`)
      t.strictSame([shown.join(' '), found.hasMore], [turns, hasMore], JSON.stringify({ ...page, after }))
    }
    t.strictSame(await store.listSessionTurns('nobody', chat), { data: [], hasMore: false })
    const [first] = (await store.listSessionTurns(SESSION, chat)).data
    const { newestOfItsId: _, ...turn } = first ?? ({} as never)
    t.strictSame(turn, await oneTurn(store, turn), 'it is the whole turn')
  })

  t.test(
    'a turn is found by its id, and by the upstream’s the newest that completed, or did not fail',
    async (t) => {
      const store = await start(t)
      const { id } = await createConversation(store)
      const other = await createConversation(store)
      const keys = [
        await exchange(store, id, {}, { completionId: 'x' }),
        await exchange(
          store,
          other.id,
          {},
          { status: 'incomplete', error: 'upstream_timeout', completionId: 'x' }
        ),
        await exchange(store, id, { kind: 'response' }, { completionId: 'x' }),
        await exchange(store, id, {}, { ...FAILED, completionId: 'x' }),
        await exchange(store, id, {}, { completionId: 'y\0' }),
        await exchange(store, id, {}, { ...CUT_OFF, completionId: 'z' }),
        await exchange(store, other.id, {}, { ...CUT_OFF, completionId: 'z' }),
        await exchange(store, id, {}, { ...FAILED, completionId: 'z' })
      ]
      for (const key of keys) {
        t.strictSame(await store.findTurn(SESSION, { id: key.id }), await oneTurn(store, key))
        t.equal(await store.findTurn('bob', { id: key.id }), null)
      }
      const found = async (completionId: string, kind: 'chat' | 'response' | 'items', session = SESSION) =>
        (await store.findTurn(session, { completionId, kind }))?.id
      t.equal(await found('x', 'chat'), keys[0]?.id, 'not the newer one, which is incomplete')
      t.equal(await found('z', 'chat'), keys[6]?.id, 'where none has completed')
      t.equal(await found('x', 'response'), keys[2]?.id)
      t.equal(await found('y\0', 'chat'), keys[4]?.id)
      for (const none of [
        found('x', 'items'),
        found('zz', 'chat'),
        found('', 'chat'),
        found('x', 'chat', 'bob')
      ])
        t.equal(await none, undefined)
      for (const odd of [newId('turn'), '', 'a\0b', '%', `${keys[0]?.id} `])
        t.equal(await store.findTurn(SESSION, { id: odd }), null, JSON.stringify(odd))
    }
  )

  t.test('metadata is met exactly, whatever it spells', async (t) => {
    const store = await start(t)
    const cases: Record<string, string>[] = [
      { a: 'b' },
      { x: '"a":"b"' },
      { a: 'b"' },
      { A: 'b' },
      { 'a\0': '\uD800' },
      { '%': '_' },
      JSON.parse('{"__proto__":"p"}'),
      { 'ä"\\': 'ö\n' },
      { y: '"a":"b"', a: 'c' },
      { y: ':', z: '1' } // in its JSON stands the pair of a colon and a comma
    ]
    const ids: string[] = []
    for (const metadata of cases) {
      const conversation = await createConversation(store, { metadata })
      ids.push((await exchange(store, conversation.id, { metadata })).id)
    }
    for (const [index, metadata] of cases.entries()) {
      const { data } = await store.listSessionTurns(SESSION, { ...chat, metadata })
      const [conversation, ...more] = (
        await store.listConversations(SESSION, { limit: 20, order: 'asc', metadata })
      ).data
      t.strictSame([data.map(({ id }) => id), more], [[ids[index]], []], JSON.stringify(metadata))
      t.strictSame(JSON.stringify(conversation?.metadata), JSON.stringify(metadata))
    }
    const missing = JSON.parse(
      '[{"toString":"x"},{"constructor":"x"},{"a":"B"},{"a":""},{"x":"b"},{":":","}]'
    )
    for (const metadata of missing) {
      t.strictSame(await store.listSessionTurns(SESSION, { ...chat, metadata }), { data: [], hasMore: false })
      t.strictSame((await store.listConversations(SESSION, { limit: 20, order: 'asc', metadata })).data, [])
    }
  })

  t.test('pages narrowed by metadata are full, over whatever does not match in between', async (t) => {
    const store = await start(t)
    const { id } = await createConversation(store)
    const wanted: string[] = []
    for (let index = 0; index < 130; index++) {
      // What does not match has the pair's text in it, so that only the exact look tells.
      const metadata: Record<string, string> = index % 60 === 0 ? { ':': ',' } : { y: ':', z: '1' }
      const key = await exchange(store, id, { metadata })
      if (index % 60 === 0) wanted.push(key.id)
    }
    const page = await store.listSessionTurns(SESSION, { ...chat, limit: 2, metadata: { ':': ',' } })
    t.strictSame([page.data.map((turn) => turn.id), page.hasMore], [wanted.slice(0, 2), true])
    const after = { ...chat, limit: 2, metadata: { ':': ',' }, after: wanted[1] }
    const rest = await store.listSessionTurns(SESSION, after)
    t.strictSame([rest.data.map((turn) => turn.id), rest.hasMore], [wanted.slice(2), false])
  })
}

export default sessionTurns
