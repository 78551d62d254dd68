import t from 'tap'
import { gate } from '../helper/endings.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { isReplayed } from '../helper/replay.ts'
import { isErrorReply } from '../helper/request.ts'
import { ALICE, BOB, startStateful } from '../helper/stateful.ts'
import { delta, sendJson, startSse } from '../helper/upstream.ts'

const KEY = { 'idempotency-key': 'key-1' }
const PATHS = ['/chat/completions', '/responses'] as const
/** A request of either protocol. */
const asking = (text: string, more: object = {}) => ({
  model: 'm',
  messages: [{ role: 'user', content: text }],
  input: text,
  ...more
})

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  for (const path of PATHS) {
    t.test(`${name}: the same key and body on ${path} are one turn and one upstream call`, async (t) => {
      const { app, call, upstream, turnsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
      for (const [index, stream] of [false, true].entries()) {
        const options = { body: asking('Hi', { stream }), headers: { 'idempotency-key': `key ${stream}` } }
        const first = await call(path, options)
        t.equal(isReplayed(first), false)
        const before = app.store.counters.transactions
        for (const _ of ['second', 'third']) {
          const again = await call(path, options)
          t.equal(again.status, 200)
          t.ok(isReplayed(again))
          for (const header of ['x-conversation-id', 'x-turn-id', 'x-turn-seq', 'content-type'])
            t.equal(
              again.headers.get(header)?.split(';')[0],
              first.headers.get(header)?.split(';')[0],
              header
            )
          t.equal(again.headers.get('x-turn-id') === null, false)
        }
        t.equal(upstream.calls.length, index + 1)
        t.ok(app.store.counters.transactions - before <= 2, 'a replay ends no turn')
        const turns = await turnsOf(first.headers.get('x-conversation-id') ?? '')
        t.equal(turns.length, 1)
        t.match(turns, [{ attempt: 1, status: 'completed' }])
      }
    })

    t.test(`${name}: on ${path} a key that runs is a 409, and with another body a 422`, async (t) => {
      const { call, upstream } = await startStateful(t, { DB_URL: await makePlace(t) })
      const { script } = upstream
      const { open, opened } = gate()
      const { open: arrive, opened: arrived } = gate()
      upstream.script = async (...args) => {
        arrive()
        await opened
        await script(...args)
      }
      const first = call(path, { body: asking('Hi'), headers: KEY })
      await arrived
      const running = await call(path, { body: asking('Hi'), headers: KEY })
      const shown = { code: 'idempotency_in_progress', param: 'idempotency-key' }
      isErrorReply(t, running, 409, shown, 'while it runs')
      t.equal(running.headers.get('retry-after'), '1')
      const reused = { code: 'idempotency_key_reused', param: 'idempotency-key' }
      const other = () => call(path, { body: asking('Hi '), headers: KEY })
      isErrorReply(t, await other(), 422, reused, 'another body while it runs')
      open()
      t.equal((await first).status, 200)
      const after = await other()
      isErrorReply(t, after, 422, reused, 'another body afterwards')
      t.equal(after.headers.get('x-should-retry'), 'false')
      t.equal(upstream.calls.length, 1)
    })

    t.test(`${name}: on ${path} a key whose attempt failed begins the turn anew`, async (t) => {
      const { call, upstream, turnsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
      const { script } = upstream
      upstream.script = (res) => sendJson(res, 429, { error: { message: 'slow down' } })
      const options = { body: asking('Hi', { stream: true }), headers: KEY }
      const failed = await call(path, options)
      t.equal(failed.status, 429)
      upstream.script = (res) => {
        startSse(res)
        res.end(delta({ content: 'ha' }))
      }
      await call(path, options)
      upstream.script = script
      const whole = await call(path, options)
      t.equal(isReplayed(whole), false)
      t.equal(whole.headers.get('x-turn-id'), failed.headers.get('x-turn-id'))
      t.match(whole.text, /re: /)
      const turns = await turnsOf(whole.headers.get('x-conversation-id') ?? '')
      t.equal(turns.length, 1)
      t.match(turns, [{ attempt: 3, seq: 1, status: 'completed', error: null, assistant_text: 're: Hi' }])
      t.ok(isReplayed(await call(path, options)))
      t.equal(upstream.calls.length, 3)
    })
  }
}

t.test('a key is known by session and by route', async (t) => {
  const { call, upstream } = await startStateful(t, { AUTH: 'header' })
  const ids = new Set<string | null>()
  for (const session of [ALICE, BOB]) {
    for (const path of PATHS) {
      const res = await call(path, { body: asking('Hi'), headers: { ...KEY, ...session } })
      t.notOk(isReplayed(res), `${path} of ${session['x-session-id']}`)
      ids.add(res.headers.get('x-turn-id'))
      const other = await call(path, {
        body: asking('Hi'),
        headers: { ...session, 'idempotency-key': 'KEY-1' }
      })
      t.notOk(isReplayed(other), 'letters in another case')
    }
  }
  t.equal(ids.size, 4)
  t.equal(upstream.calls.length, 8)
})

t.test('the conversation that a header names belongs to the request', async (t) => {
  const { chat, create } = await startStateful(t)
  const [one, two] = [await create(), await create()]
  await (await chat({}, { ...KEY, 'x-conversation-id': one })).text()
  t.equal((await chat({}, { ...KEY, 'x-conversation-id': two })).status, 422)
  t.equal((await chat({}, { ...KEY, 'x-conversation-id': one, 'x-parent-seq': '0' })).status, 422)
  t.equal((await chat({}, KEY)).status, 422)
  t.ok(isReplayed(await chat({}, { ...KEY, 'x-conversation-id': one })))
})

t.test('a key is free again when its turn or its conversation was deleted', async (t) => {
  const { chat, call, upstream } = await startStateful(t)
  const first = await chat({}, KEY)
  await first.text()
  await call(`/chat/completions/${first.headers.get('x-turn-id')}`, { method: 'DELETE' })
  const second = await chat({}, KEY)
  await second.text()
  t.notOk(isReplayed(second))
  await call(`/conversations/${second.headers.get('x-conversation-id')}`, { method: 'DELETE' })
  const third = await chat({}, KEY)
  await third.text()
  t.notOk(isReplayed(third))
  t.ok(isReplayed(await chat({}, KEY)))
  t.equal(upstream.calls.length, 3)
})

t.test(
  'with a conversation in the body a replay does not ask whether that is free, nor go on in it',
  async (t) => {
    const { create, say, turnsOf, upstream, call } = await startStateful(t)
    const id = await create()
    const first = await say(id, 'One', {}, KEY)
    await say(id, 'Two')
    const again = await say(id, 'One', {}, KEY)
    t.ok(isReplayed(again))
    t.match(again.json.choices, first.json.choices)
    t.equal((await turnsOf(id)).length, 2)
    t.equal(upstream.calls.length, 2)
    await call(`/conversations/${id}`, { method: 'DELETE' })
    t.equal((await say(id, 'One', {}, KEY)).status, 404)
  }
)

t.test('what is not recorded has no key', async (t) => {
  const { chat, upstream } = await startStateful(t)
  for (const _ of [1, 2]) t.notOk(isReplayed(await chat({ store: false }, KEY)))
  t.equal(upstream.calls.length, 2)
})

t.test('a key that is none is a 400 that names the header', async (t) => {
  const { call, upstream } = await startStateful(t)
  for (const path of PATHS) {
    for (const key of ['', 'x'.repeat(256)]) {
      const res = await call(path, { body: asking('Hi'), headers: { 'idempotency-key': key } })
      isErrorReply(t, res, 400, { code: 'invalid_value', param: 'idempotency-key' }, `'${key.slice(0, 5)}'`)
    }
    t.equal(
      (await call(path, { body: asking('Hi'), headers: { 'idempotency-key': 'x'.repeat(255) } })).status,
      200
    )
  }
  t.equal(upstream.calls.length, 2)
})
