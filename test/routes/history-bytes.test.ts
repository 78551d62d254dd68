import path from 'node:path'
import t from 'tap'
import { tempFolder } from '../helper/app.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { startStateful } from '../helper/stateful.ts'
import { plainAnswer } from '../helper/upstream.ts'

const TOO_LARGE = { type: 'invalid_request_error', code: 'conversation_too_large' }
const BYTES = 10_000
/** How long the upstream of these tests answers: `Hello world`. */
const ANSWER = 11
const settings = { MAX_HISTORY_BYTES: `${BYTES}`, MAX_PAGE_BYTES: '1000' }

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(
    `${name}: a history of MAX_HISTORY_BYTES is put in front, one of a byte more is refused`,
    async (t) => {
      const place = { ...settings, DB_URL: await makePlace(t) }
      const { create, say, respond, turnsOf, upstream } = await startStateful(t, place, plainAnswer)
      const fill = 'x'.repeat((BYTES - ANSWER * 2) / 2)
      for (const extra of ['', 'y']) {
        const id = await create()
        await say(id, fill)
        t.equal((await say(id, fill + extra)).status, 200)
        const [calls, turns] = [upstream.calls.length, (await turnsOf(id)).length]
        if (extra === '') {
          t.equal((await say(id, 'next')).status, 200)
          t.match(JSON.parse(upstream.calls.at(-1)?.body ?? '').messages, { length: 5 })
          continue
        }
        for (const refused of [
          await say(id, 'next'),
          await say(id, 'next', { stream: true }),
          await say(id, 'next', { store: false }),
          await respond('next', { conversation: id })
        ]) {
          t.equal(refused.status, 400)
          t.match(refused.json.error, { ...TOO_LARGE, param: 'conversation' })
        }
        t.equal(upstream.calls.length, calls, 'the upstream is not called')
        t.equal((await turnsOf(id)).length, turns, 'nothing is written')
        t.equal(
          (await say(id, 'x', {}, { 'x-parent-seq': '1' })).status,
          200,
          'after an older turn there is room'
        )
      }
    }
  )
}

t.test('a response, and what came before it, count for the request that follows it', async (t) => {
  const place = { DB_URL: `sqlite:${path.join(tempFolder(t), 'store.db')}` }
  const { app, respond } = await startStateful(t, place)
  const first = await respond('x'.repeat(2_000))
  const second = await respond('y'.repeat(3_000), { previous_response_id: first.json.id })
  const id = second.headers.get('x-conversation-id') ?? ''
  const page = { limit: 9, order: 'asc', maxBytes: 1_000_000 } as const
  const { bytes = 0, data = [] } = (await app.store.listTurns('local', id, page)) ?? {}
  t.equal(data.length, 2)

  for (const [maxBytes, status] of [
    [bytes, 200],
    [bytes - 1, 400],
    [1, 400]
  ] as const) {
    const limited = await startStateful(t, { ...place, MAX_HISTORY_BYTES: `${maxBytes}` })
    const reply = await limited.respond('on', { previous_response_id: second.json.id })
    t.equal(reply.status, status, `${maxBytes} of ${bytes}`)
    t.equal(limited.upstream.calls.length, status === 200 ? 1 : 0)
    if (status === 400) t.match(reply.json.error, { ...TOO_LARGE, param: 'previous_response_id' })
    const turns = await limited.app.store.listTurns('local', id, page)
    t.equal(turns?.data.length, 3, 'a refused request leaves no turn')
  }
})

t.test('what was sent for a stored answer is not read where it is too large', async (t) => {
  const { create, say, respond, call } = await startStateful(t, settings)
  const id = await create()
  for (const text of ['a', 'b']) await say(id, text.repeat(6_000))
  const filed = (body: object) =>
    call('/chat/completions', { body: { model: 'm', conversation_id: id, ...body } })
  const { headers } = await filed({ messages: [{ role: 'user', content: 'c' }] })
  const { status, json } = await call(`/chat/completions/${headers.get('x-turn-id')}/messages`)
  t.equal(status, 400)
  t.match(json.error, { ...TOO_LARGE, param: null })
  const response = await call('/responses', { body: { model: 'm', conversation_id: id, input: 'd' } })
  const items = await call(`/responses/${response.headers.get('x-turn-id')}/input_items`)
  t.equal(items.status, 400)
  t.match(items.json.error, { ...TOO_LARGE, param: null })
  t.equal((await respond('e')).status, 200)
})

t.test('versions that were replaced do not count', async (t) => {
  const { create, say, call } = await startStateful(t, settings, plainAnswer)
  const id = await create()
  await say(id, 'Hi')
  for (let version = 0; version < 5; version += 1)
    t.equal((await say(id, `${version}`.repeat(4_000), {}, { 'x-parent-seq': '1' })).status, 200)
  t.equal((await say(id, 'on')).status, 200)
  t.equal((await call(`/conversations/${id}/turns?include=superseded&limit=1`)).json.has_more, true)
})
