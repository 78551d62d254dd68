import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import retention from '../../plugins/retention.ts'
import type { Store } from '../../storage/contract.ts'
import { DAY_MS } from '../../storage/retention/sweeper.ts'
import { startApp } from '../helper/app.ts'
import { lockedDatabase, openDatabase } from '../helper/database.ts'
import { addDue, idsIn } from '../helper/due.ts'
import { eventually } from '../helper/endings.ts'
import { openTestStore, sqliteUrl, withStore } from '../helper/transfer.ts'

const DAYS = 30
const longAgo = () => ({ activeAt: Date.now() - DAYS * DAY_MS - 1 })

/** The parts of the service that sweep, in a hurry. */
async function start(t: Test, dbUrl: string, days = DAYS) {
  const stream = new PassThrough()
  let log = ''
  stream.on('data', (text) => {
    log += text
  })
  const app: FastifyInstance = Fastify({ logger: { level: 'info', stream } })
  t.teardown(() => app.close())
  const store = await openTestStore(t, dbUrl)
  const batches = { underWay: 0, cutShort: 0 }
  const observed: Store = {
    ...store,
    async deleteConversations(which, maxTurns) {
      batches.underWay += 1
      return await store.deleteConversations(which, maxTurns).finally(() => {
        batches.underWay -= 1
      })
    }
  }
  const storage = async (app: FastifyInstance) => {
    app.decorate('store', observed)
    app.addHook('onClose', async () => {
      batches.cutShort = batches.underWay
      await store.close()
    })
  }
  await app.register(fp(storage, { name: 'storage' }))
  await app.register(retention, { days, firstAfterMs: 10, everyMs: 10 })
  await app.ready()
  return { app, store, batches, log: () => log }
}

t.test('what is due goes without anybody asking, now and later', async (t) => {
  const { app, store, log } = await start(t, sqliteUrl(t))
  const kept = await addDue(store, 1, { activeAt: Date.now() })
  for (const round of [1, 2]) {
    await addDue(store, 2, longAgo())
    await eventually('it is gone', () => app.retention.counters.conversations === round)
    t.match(app.retention.counters, { conversations: round, turns: 2 * round, failures: 0 })
  }
  t.strictSame(await idsIn(store), [kept.id])
  await eventually('a run has ended', () => app.retention.counters.lastSuccessAt > 0)
  t.ok(Math.abs(Date.now() - app.retention.counters.lastSuccessAt) < 60_000)
  await eventually('it is in the log', () => /"conversations":1,"turns":2,"complete":true/.test(log()))
})

t.test('a run that fails is logged, and the next one tries again', async (t) => {
  const dbUrl = sqliteUrl(t)
  const { app, store, log } = await start(t, dbUrl)
  const sqlite = openDatabase(t, dbUrl)
  sqlite.exec("create trigger no before delete on conversations begin select raise(abort, 'no'); end")
  await addDue(store, 1, longAgo())
  await eventually('it failed twice', () => app.retention.counters.failures >= 2)
  t.match(log(), 'retention failed, next try follows')
  sqlite.exec('drop trigger no')
  await eventually('it is gone', () => app.retention.counters.conversations === 1)
  t.strictSame(await idsIn(store), [])
})

t.test('closing waits for the batch under way, and begins no other', async (t) => {
  const dbUrl = sqliteUrl(t)
  await withStore(dbUrl, async (store) => {
    for (let i = 0; i < 3; i++) await addDue(store, 600, longAgo())
  })
  const { app, batches, log } = await start(t, dbUrl)
  const lock = lockedDatabase(t, dbUrl)
  await eventually('a batch waits for the lock', () => app.retention.counters.runs === 1)
  let released = false
  const closed = app.close().then(() => released)
  await sleep(200) // in which nothing is to happen
  released = true
  lock.release()
  t.equal(await closed, true)
  t.equal(batches.cutShort, 0, 'the store is closed after it')
  t.match(app.retention.counters, { conversations: 1, turns: 600, failures: 0 })
  t.notMatch(log(), '"level":50')
  t.equal((await withStore(dbUrl, idsIn)).length, 2)
})

t.test('the service sweeps by RETENTION_DAYS, and keeps everything without', async (t) => {
  for (const [days, deleted] of Object.entries({ 0: 0, 29: 1, 30: 1, 31: 0 })) {
    const { app } = await startApp(t, { RETENTION_DAYS: days })
    await addDue(app.store, 1, longAgo())
    await app.retention.run()
    t.equal((await idsIn(app.store)).length, 1 - deleted, `${days} days`)
    const { lastSuccessAt, ...counted } = app.retention.counters
    const runs = days === '0' ? 0 : 1
    t.strictSame(counted, { conversations: deleted, turns: deleted, runs, failures: 0 })
    t.equal(lastSuccessAt > 0, runs === 1)
  }
})

t.test('with 0 days nothing runs, however often it would', async (t) => {
  const { app, store } = await start(t, sqliteUrl(t), 0)
  await addDue(store, 1, { activeAt: 1 })
  await sleep(100) // in which nothing is to happen
  t.equal((await idsIn(store)).length, 1)
  t.strictSame(app.retention.counters, { conversations: 0, turns: 0, runs: 0, failures: 0, lastSuccessAt: 0 })
})
