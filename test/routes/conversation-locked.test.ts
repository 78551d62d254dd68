import t, { type Test } from 'tap'
import { gate } from '../helper/endings.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { startStateful, told } from '../helper/stateful.ts'
import { DONE, delta, sendJson, startSse } from '../helper/upstream.ts'

const LOCKED = { code: 'conversation_locked', param: 'conversation' }

/** A conversation in which a turn runs, until `end` is called with what the upstream does at last. */
async function runningTurn(
  t: Test,
  settings: Record<string, string> = {},
  headers: Record<string, string> = {}
) {
  const service = await startStateful(t, settings)
  const { upstream, create, say, chat } = service
  const id = await create()
  await say(id, 'One')
  const { script } = upstream
  let end = (_how: (res: Parameters<typeof script>[0]) => void) => {}
  upstream.script = (res) => {
    startSse(res)
    res.write(delta({ content: 'late' }))
    end = (how) => how(res)
  }
  const leaving = new AbortController()
  const target = headers['x-conversation-id'] === '' ? { 'x-conversation-id': id } : {}
  const body = { stream: true, ...(target['x-conversation-id'] === undefined && { conversation: id }) }
  const answer = await chat(body, target, leaving.signal)
  upstream.script = script
  return {
    ...service,
    id,
    answer,
    leave: () => leaving.abort(),
    end: (how: Parameters<typeof end>[0]) => end(how)
  }
}

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: while a turn runs no other begins, and once it has ended one may`, async (t) => {
    const service = await runningTurn(t, { DB_URL: await makePlace(t) })
    const { id, say, upstream, end, answer, turnsOf, sent } = service
    const calls = upstream.calls.length
    isErrorReply(t, await say(id, 'Two'), 400, LOCKED, 'a chat')
    t.equal(upstream.calls.length, calls)
    t.equal((await turnsOf(id)).length, 2)
    end((res) => res.end(DONE))
    await answer.text()
    t.equal((await say(id, 'Two')).status, 200)
    t.strictSame(told(sent().messages), [
      'user: One',
      'assistant: re: One',
      'user: Hi',
      'assistant: late',
      'user: Two'
    ])
  })

  t.test(`${name}: of many at once in a conversation one begins`, async (t) => {
    const { create, say, upstream, turnsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
    const id = await create()
    const { script } = upstream
    const { open, opened } = gate()
    upstream.script = async (...args) => {
      await opened
      await script(...args)
    }
    let refused = 0
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        const { status } = await say(id, `question ${i}`)
        if (status === 400) refused += 1
        if (refused === 4) open()
        return status
      })
    )
    t.strictSame(statuses.sort(), [200, 400, 400, 400, 400])
    t.equal(upstream.calls.length, 1)
    t.match(await turnsOf(id), [{ seq: 1, status: 'completed' }])
    t.equal((await turnsOf(id)).length, 1, 'no seq was spent on the others')
  })
}
t.test('every way that puts the history in front is locked, and no other', async (t) => {
  const { id, call, chat, respond, end, answer, say } = await runningTurn(t)
  const messages = [{ role: 'user', content: 'Two' }]
  isErrorReply(t, await say(id, 'Two', { stream: true }), 400, LOCKED, 'a stream')
  isErrorReply(t, await say(id, 'Two', {}, { 'x-parent-seq': '1' }), 400, LOCKED, 'an older turn')
  isErrorReply(t, await respond('Two', { conversation: id }), 400, LOCKED, 'a response')
  const filed = await chat({ messages }, { 'x-conversation-id': id })
  t.equal(filed.status, 200, 'who brings his own history may file it')
  const added = await call(`/conversations/${id}/items`, {
    body: { items: [{ role: 'user', content: 'x' }] }
  })
  t.equal(added.status, 200)
  t.equal((await chat({ messages })).status, 200, 'another conversation')
  end((res) => res.end(DONE))
  await answer.text()
})

t.test('a turn that is filed locks the conversation as well', async (t) => {
  const { id, say, end, answer } = await runningTurn(t, {}, { 'x-conversation-id': '' })
  isErrorReply(t, await say(id, 'Two'), 400, LOCKED, 'while it runs')
  end((res) => res.end(DONE))
  await answer.text()
  t.equal((await say(id, 'Two')).status, 200)
})

t.test('however a turn ends, the conversation is free again', async (t) => {
  const cut = await runningTurn(t)
  cut.end((res) => res.destroy())
  await cut.answer.text().catch(() => {})
  t.equal((await cut.say(cut.id, 'Two')).status, 200, 'after an answer that broke off')

  const left = await runningTurn(t)
  left.leave()
  t.match(await left.endedTurn(left.answer), { error: 'client_disconnect' })
  t.equal((await left.say(left.id, 'Two')).status, 200, 'after its client has left')

  const silent = await runningTurn(t, { UPSTREAM_IDLE_TIMEOUT_MS: '50' })
  t.match(await silent.endedTurn(silent.answer), { error: 'upstream_timeout' })
  t.equal((await silent.say(silent.id, 'Two')).status, 200, 'after a timeout')

  const { create, say, upstream } = await startStateful(t)
  const id = await create()
  const { script } = upstream
  upstream.script = (res) => sendJson(res, 500, { error: { message: 'no' } })
  t.equal((await say(id, 'One')).status, 500)
  upstream.script = script
  t.equal((await say(id, 'Two')).status, 200, 'after an error')
})
