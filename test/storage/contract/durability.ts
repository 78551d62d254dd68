import type { Test } from 'tap'
import type { Store } from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'
import type { MakePlace } from '../contract.ts'
import { newKey } from './api-keys.ts'
import {
  allTurns,
  begin,
  COMPLETED,
  createConversation,
  exchange,
  newConversation,
  newTurn,
  SESSION,
  seqs
} from './rows.ts'

async function everything(store: Store): Promise<unknown> {
  const { data } = await store.listConversations(SESSION, { limit: 100, order: 'asc' })
  return await Promise.all(data.map(async (row) => [row, await allTurns(store, row.id)]))
}

/** What must hold from one opening of a store to the next. */
export default function durability(t: Test, makePlace: MakePlace): void {
  t.test('what was written is there after closing and opening again', async (t) => {
    const open = await makePlace(t)
    const store = await open()
    await store.initialize()
    const { id } = await createConversation(store, { title: 'Grüße', model: 'm', metadata: { ä: '1' } })
    for (const _ of seqs(3))
      await exchange(store, id, { detail: { a: [1] } }, { detail: { a: [1], b: null } })
    await exchange(store, id, { parentSeq: 1 })
    await store.updateConversation(SESSION, id, { pinned: true })
    const running = await begin(store, id)
    const gone = await createConversation(store)
    await store.deleteConversation(SESSION, gone.id)
    const named = await begin(store, newId('conv'), {
      create: true,
      externalKey: 'thread',
      askedMark: 'asked'
    })
    const secret = await store.secret()
    const [first] = await store.beat('here')
    const before = await everything(store)
    await store.close()

    const again = await open()
    t.teardown(() => again.close())
    await again.initialize()
    t.strictSame(await everything(again), before)
    t.equal(await again.getConversation(SESSION, gone.id), null)
    t.equal((await begin(again, id)).seq, 6, 'seq goes on')
    t.equal(await again.finishTurn(running, COMPLETED), true, 'a turn that was running can end')
    t.strictSame(await again.beat('here'), [{ owner: 'here', beat: (first?.beat ?? 0) + 1 }])
    t.equal(await again.recoverTurns('here'), 2)
    t.equal(await again.secret(), secret)
    t.equal(await again.findExternal(SESSION, 'thread'), named.conversationId)
    const sought = { tips: [], asked: ['asked'], answer: null }
    t.match(await again.findMarks(SESSION, sought), [{ conversationId: named.conversationId, seq: 1 }])
  })

  t.test('keys are the same in every process, also in one that prepared nothing else', async (t) => {
    const open = await makePlace(t)
    const [service, command] = [await open(), await open()]
    for (const store of [service, command]) t.teardown(() => store.close())
    await service.initialize()
    await Promise.all([command.keys.prepare(), command.keys.prepare()])
    const [one, other] = [newKey(), newKey()]
    await command.keys.add(one)
    t.strictSame(await service.keys.find(one.id), one)
    await service.keys.add(other)
    t.strictSame(await command.keys.list(), [one, other])
    await command.keys.add({ ...one, name: 'anew' })
    t.match(await service.keys.find(one.id), { name: 'anew' })
    t.equal(await command.keys.remove(one.id), true)
    t.equal(await service.keys.find(one.id), null)
    t.equal(await service.keys.remove(one.id), false)
    await service.close()
    await command.close()
    for (const store of [service, command]) await t.rejects(store.keys.list(), { code: 'STORE_UNAVAILABLE' })
    const again = await open()
    t.teardown(() => again.close())
    await again.keys.prepare()
    t.strictSame(await again.keys.list(), [other])
  })

  t.test('a close waits for the writes under way', async (t) => {
    const open = await makePlace(t)
    const store = await open()
    await store.initialize()
    const { id } = await createConversation(store)
    const writes = seqs(30).map(() => store.beginTurn(newTurn(id)))
    await store.close()
    t.strictSame(
      (await Promise.all(writes)).map((begun) => begun?.turn.seq).toSorted((a = 0, b = 0) => a - b),
      seqs(30)
    )
    const again = await open()
    t.teardown(() => again.close())
    await again.initialize()
    t.equal((await allTurns(again, id)).length, 30)
  })

  t.test('initialize changes nothing that is there', async (t) => {
    const open = await makePlace(t)
    const store = await open()
    t.teardown(() => store.close())
    await Promise.all([store.initialize(), store.initialize()])
    const { id } = await createConversation(store)
    await exchange(store, id)
    const before = await everything(store)
    await store.initialize()
    t.strictSame(await everything(store), before)
  })

  t.test('a close may be called again, at once or later', async (t) => {
    const store = await (await makePlace(t))()
    await store.initialize()
    await Promise.all([store.close(), store.close()])
    await t.resolves(store.close())
  })

  t.test('a closed store is STORE_UNAVAILABLE, and stays closed', async (t) => {
    const open = await makePlace(t)
    const unavailable = { name: 'StoreError', code: 'STORE_UNAVAILABLE' }
    for (const prepare of [(store: Store) => store.initialize(), async () => {}]) {
      const store = await open()
      await prepare(store)
      await store.close()
      await t.rejects(store.ping(), unavailable)
      await t.rejects(store.initialize(), unavailable)
      await t.rejects(store.getConversation(SESSION, 'conv_1'), unavailable)
      await t.rejects(store.createConversation(newConversation()), unavailable)
    }
  })
}
