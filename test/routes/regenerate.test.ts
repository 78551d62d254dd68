import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { isErrorReply, request } from '../helper/request.ts'
import { delta, plainAnswer, sendJson, startSse, startUpstream } from '../helper/upstream.ts'

/** A conversation of `count` completed turns, and a way to see which of its turns are superseded. */
async function conversationOf(t: Test, count: number) {
  const upstream = await startUpstream(t)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const { id } = (await request(`${running.url}/v1/conversations`, { body: {} })).json
  const follow = (parentSeq: number | null, body: object = {}) =>
    running.chat(body, {
      'x-conversation-id': id,
      ...(parentSeq !== null && { 'x-parent-seq': String(parentSeq) })
    })
  for (let i = 0; i < count; i += 1) await (await follow(null)).text()
  const superseded = async () =>
    (await running.turnsOf(id)).filter((turn) => turn.superseded).map((turn) => turn.seq)
  return { upstream, ...running, id, follow, superseded }
}

t.test('a turn that follows an older one replaces what came between, once it completes', async (t) => {
  const { id, follow, superseded, turnsOf } = await conversationOf(t, 3)
  const regenerated = await follow(2) // the third answer once more
  await regenerated.text()
  t.equal(regenerated.headers.get('x-turn-seq'), '4')
  t.same(await superseded(), [3])
  await (await follow(0)).text() // the first question edited
  t.same(await superseded(), [1, 2, 3, 4])
  await (await follow(5)).text() // the newest turn named: the ordinary case
  t.same(await superseded(), [1, 2, 3, 4])
  t.match(await turnsOf(id), [{}, {}, {}, { parent_seq: 2 }, { parent_seq: 0 }, { parent_seq: 5 }])
})

t.test('nothing is replaced while the new answer is still coming', async (t) => {
  const { upstream, follow, superseded } = await conversationOf(t, 2)
  let finish = () => {}
  upstream.script = (res) => {
    startSse(res)
    res.write(delta({ content: 'new' }))
    finish = () => res.end('data: [DONE]\n\n')
  }
  const answer = await follow(1, { stream: true })
  t.same(await superseded(), [])
  finish()
  await answer.text()
  t.same(await superseded(), [2])
})

t.test('an attempt that fails or breaks off replaces nothing', async (t) => {
  const { upstream, id, follow, superseded, turnsOf } = await conversationOf(t, 2)
  upstream.script = (res) => sendJson(res, 429, { error: { message: 'slow down' } })
  t.equal((await follow(0)).status, 429)
  upstream.script = (res) => {
    startSse(res)
    res.end(delta({ content: 'half' }))
  }
  await (await follow(1, { stream: true })).text()
  t.same(await superseded(), [])
  t.match(await turnsOf(id), [
    { status: 'completed' },
    { status: 'completed' },
    { status: 'failed', parent_seq: 0 },
    { status: 'incomplete', parent_seq: 1, assistant_text: 'half' }
  ])
  upstream.script = plainAnswer
  await (await follow(1)).text()
  t.same(await superseded(), [2, 3, 4], 'the attempt that succeeds replaces the failed ones too')
})

t.test('a client that leaves a regenerated answer has replaced nothing', async (t) => {
  const { upstream, follow, superseded, endedTurn, chat, id } = await conversationOf(t, 2)
  upstream.script = (res) => {
    startSse(res)
    res.write(delta({ content: 'new' }))
  }
  const leaving = new AbortController()
  const headers = { 'x-conversation-id': id, 'x-parent-seq': '1' }
  const answer = await chat({ stream: true }, headers, leaving.signal)
  leaving.abort()
  t.match(await endedTurn(answer), { status: 'incomplete', error: 'client_disconnect' })
  t.same(await superseded(), [])
  upstream.script = plainAnswer
  t.equal((await follow(2)).status, 200, 'and the turn that it wanted to replace can be followed')
})

t.test('a parent that cannot be followed is a 400 that changes nothing and calls nobody', async (t) => {
  const { upstream, url, id, follow, turnsOf } = await conversationOf(t, 3)
  await (await follow(1)).text()
  const calls = upstream.calls.length
  const turns = await turnsOf(id)
  for (const parent of ['5', '99', '2147483647', '-1', '1.5', 'one', '', ' ', 'true', '1, 1', '0x1']) {
    const res = await request(`${url}/v1/chat/completions`, {
      body: { messages: [{ role: 'user', content: 'x' }] },
      headers: { 'x-conversation-id': id, 'x-parent-seq': parent }
    })
    isErrorReply(t, res, 400, { code: 'invalid_value', param: 'x-parent-seq' }, `parent '${parent}'`)
  }
  t.equal(upstream.calls.length, calls)
  t.same(await turnsOf(id), turns)
  t.equal((await request(`${url}/v1/conversations/${id}`)).json.last_seq, 4, 'no seq was spent')
})

t.test('a turn that was replaced can be followed: the way to it comes back', async (t) => {
  const { follow, superseded, upstream } = await conversationOf(t, 3)
  await (await follow(1)).text()
  t.same(await superseded(), [2, 3])
  upstream.script = (res) => sendJson(res, 500, { error: { message: 'no' } })
  t.equal((await follow(3)).status, 500)
  t.same(await superseded(), [2, 3], 'not for an attempt that fails')
  upstream.script = plainAnswer
  const followed = await follow(3)
  await followed.text()
  t.equal(followed.headers.get('x-turn-seq'), '6')
  t.same(await superseded(), [4, 5])
  await (await follow(4)).text()
  t.same(await superseded(), [2, 3, 5, 6], 'and back again')
})

t.test('a new conversation can be begun from 0 and from nowhere else', async (t) => {
  const { url, chat } = await conversationOf(t, 0)
  const first = await chat({}, { 'x-parent-seq': '0' })
  t.match(first, { status: 200 })
  t.equal(first.headers.get('x-turn-seq'), '1')
  const listed = (await request(`${url}/v1/conversations`)).json.data.length
  t.equal((await chat({}, { 'x-parent-seq': '1' })).status, 400)
  t.equal((await request(`${url}/v1/conversations`)).json.data.length, listed, 'none was made for the other')
})
