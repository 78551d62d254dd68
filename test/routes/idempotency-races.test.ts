import t from 'tap'
import { gate } from '../helper/endings.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { isReplayed } from '../helper/replay.ts'
import { startStateful } from '../helper/stateful.ts'

const KEY = { 'idempotency-key': 'key-1' }
const DAY_MS = 86_400_000

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: of many at once with one key one calls the upstream`, async (t) => {
    const { chat, upstream } = await startStateful(t, { DB_URL: await makePlace(t) })
    const { script } = upstream
    const { open, opened } = gate()
    upstream.script = async (...args) => {
      await opened
      await script(...args)
    }
    let refused = 0
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { status } = await chat({}, KEY)
        if (status === 409) refused += 1
        if (refused === 4) open()
        return status
      })
    )
    t.strictSame(statuses.sort(), [200, 409, 409, 409, 409])
    t.equal(upstream.calls.length, 1)
    t.ok(isReplayed(await chat({}, KEY)))
  })

  t.test(`${name}: after 24 hours a key is another one`, async (t) => {
    const { app, chat, upstream, turnsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
    const { beginTurn } = app.store
    let agedMs = 0
    // The key's turn is written as one that began a while ago; all else is as it is.
    app.store.beginTurn = (turn) => beginTurn.call(app.store, { ...turn, createdAt: turn.createdAt - agedMs })
    const ask = async (key: string) => {
      const answer = await chat({}, { 'idempotency-key': key })
      await answer.text()
      return answer
    }
    agedMs = DAY_MS - 60_000
    const young = await ask('young')
    agedMs = DAY_MS + 60_000
    const old = await ask('old')
    agedMs = 0
    t.ok(isReplayed(await ask('young')), 'almost a day old')
    const again = await ask('old')
    t.notOk(isReplayed(again))
    t.not(again.headers.get('x-turn-id'), old.headers.get('x-turn-id'))
    t.equal(upstream.calls.length, 3)
    t.ok(isReplayed(await ask('old')), 'the new turn has the key')
    for (const answer of [young, old]) {
      t.equal(
        (await turnsOf(answer.headers.get('x-conversation-id') ?? '')).length,
        1,
        'and the old one stays'
      )
    }
  })
}
