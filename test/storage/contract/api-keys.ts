import type { ApiKey } from '../../../storage/contract.ts'
import type { ContractPart } from '../contract.ts'
import { createConversation, SESSION } from './rows.ts'

let count = 0

export function newKey(changes: Partial<ApiKey> = {}): ApiKey {
  count += 1
  return {
    id: `key${String(count).padStart(5, '0')}`,
    sessionId: SESSION,
    name: 'A name',
    hash: 'ab'.repeat(32),
    createdAt: 1_700_000_000_123,
    ...changes
  }
}

const apiKeys: ContractPart = (t, start) => {
  t.test('keys are found as they were added, and listed by id', async (t) => {
    const { keys } = await start(t)
    t.strictSame(await keys.list(), [])
    const given = [
      newKey({ id: 'b2345678', name: null }),
      newKey({ id: 'a'.repeat(32), sessionId: "o'brien; -- Grüße 🎈" }),
      newKey({ id: '90abcdef', sessionId: ' ', name: '' }),
      newKey({ id: 'a0000000', hash: '0'.repeat(64), createdAt: 1 })
    ]
    for (const key of given) await keys.add(key)
    for (const key of given) t.strictSame(await keys.find(key.id), key)
    t.strictSame(
      await keys.list(),
      given.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    )
  })

  t.test('a session may have several keys, and a key replaces the one with its id', async (t) => {
    const { keys } = await start(t)
    const [one, other] = [newKey(), newKey()]
    for (const key of [one, other]) await keys.add(key)
    const changed = { ...one, sessionId: 'bob', name: 'a\0b', hash: 'cd'.repeat(32), createdAt: 2 }
    await keys.add(changed)
    t.strictSame(await keys.list(), [{ ...changed, name: 'a\uFFFDb' }, other])
  })

  t.test('a key that is removed is gone, once, and the others stay', async (t) => {
    const { keys } = await start(t)
    const [one, other] = [newKey(), newKey()]
    for (const key of [one, other]) await keys.add(key)
    t.equal(await keys.remove(one.id), true)
    t.equal(await keys.remove(one.id), false)
    t.equal(await keys.find(one.id), null)
    t.strictSame(await keys.list(), [other])
  })

  t.test('no other text leads to a key', async (t) => {
    const { keys } = await start(t)
    const key = newKey()
    await keys.add(key)
    const others = [
      '',
      '.',
      '..',
      `../${key.id}`,
      `./${key.id}`,
      key.id.toUpperCase(),
      `${key.id}0`,
      `${key.id}\0`
    ]
    for (const id of [
      ...others,
      key.id.slice(0, -1),
      `${key.id.slice(0, -1)}%`,
      'ünknown',
      'a'.repeat(300)
    ]) {
      t.equal(await keys.find(id), null, JSON.stringify(id))
      t.equal(await keys.remove(id), false, JSON.stringify(id))
    }
    t.strictSame(await keys.list(), [key])
  })

  t.test('what is handed out and taken in is a copy', async (t) => {
    const { keys } = await start(t)
    const key = newKey()
    await keys.add(key)
    const [listed] = await keys.list()
    for (const copy of [key, listed, await keys.find(key.id)])
      Object.assign(copy ?? {}, { sessionId: 'mallory' })
    t.equal((await keys.find(key.id))?.sessionId, SESSION)
  })

  t.test('keys are no conversations, and stay when those of their session go', async (t) => {
    const store = await start(t)
    const key = newKey()
    await store.keys.add(key)
    t.strictSame(await store.exportConversations(null, 10), [])
    t.equal(await store.countConversations({ sessionId: SESSION }, 10), 0)
    await createConversation(store)
    t.match(await store.deleteConversations({ sessionId: SESSION }, 10), { conversations: 1 })
    t.strictSame(await store.keys.list(), [key])
  })

  t.test('keys added and removed at once are all there, or gone', async (t) => {
    const { keys } = await start(t)
    const [kept, gone] = [
      Array.from({ length: 8 }, () => newKey()),
      Array.from({ length: 8 }, () => newKey())
    ]
    await Promise.all(gone.map((key) => keys.add(key)))
    const removals = gone.map(({ id }) => keys.remove(id))
    await Promise.all([...kept.map((key) => keys.add(key)), ...removals])
    t.strictSame(await keys.list(), kept)
  })
}

export default apiKeys
