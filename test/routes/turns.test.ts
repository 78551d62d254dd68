import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { isErrorReply, request } from '../helper/request.ts'
import { sendJson, startUpstream } from '../helper/upstream.ts'

/** A conversation of seven turns, of which the second and third were replaced by the fourth. */
async function seven(t: Test) {
  const upstream = await startUpstream(t)
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  for (let seq = 1; seq <= 7; seq += 1) {
    const parent = seq === 4 ? { 'x-parent-seq': '1' } : {}
    await (await chat({}, { 'x-conversation-id': id, ...parent })).text()
  }
  return {
    id,
    list: async (query = '') => (await request(`${url}/v1/conversations/${id}/turns${query}`)).json
  }
}

t.test('a turn on the wire has every field, with its instant in seconds', async (t) => {
  const upstream = await startUpstream(t)
  const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const before = Math.floor(Date.now() / 1000)
  const res = await chat({ metadata: { topic: 'tea' } })
  await res.text()
  const id = res.headers.get('x-conversation-id')
  const { json } = await request(`${url}/v1/conversations/${id}/turns`)
  const { created_at, ...turn } = json.data[0]
  t.same(turn, {
    id: res.headers.get('x-turn-id'),
    object: 'conversation.turn',
    conversation_id: id,
    seq: 1,
    parent_seq: 0,
    superseded: false,
    kind: 'chat',
    model: 'm',
    metadata: { topic: 'tea' },
    attempt: 1,
    status: 'completed',
    error: null,
    finish_reason: 'stop',
    completion_id: 'chatcmpl-test',
    user_text: 'Hi',
    assistant_text: 'Hello world',
    detail: null
  })
  t.ok(created_at >= before && created_at <= before + 60)
})

t.test('a conversation without turns has an empty page', async (t) => {
  const { url } = await startApp(t)
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  const res = await request(`${url}/v1/conversations/${id}/turns`)
  t.same(res.json, { object: 'list', data: [], first_id: null, last_id: null, has_more: false })
})

t.test('pages of turns are cut by seq', async (t) => {
  const { list } = await seven(t)
  const cases: [query: string, seqs: number[], hasMore: boolean][] = [
    ['', [1, 4, 5, 6, 7], false],
    ['?include=superseded', [1, 2, 3, 4, 5, 6, 7], false],
    ['?order=desc', [7, 6, 5, 4, 1], false],
    ['?limit=2', [1, 4], true],
    ['?limit=5', [1, 4, 5, 6, 7], false],
    ['?limit=2&after_seq=1', [4, 5], true],
    ['?limit=2&after_seq=1&include=superseded', [2, 3], true],
    ['?after_seq=0', [1, 4, 5, 6, 7], false],
    ['?after_seq=7', [], false],
    ['?after_seq=2147483647', [], false],
    ['?before_seq=5', [1, 4], false],
    ['?before_seq=0', [], false],
    ['?before_seq=1', [], false],
    ['?order=desc&limit=2&before_seq=7', [6, 5], true],
    ['?order=desc&limit=2&before_seq=5', [4, 1], false],
    ['?order=desc&limit=2&after_seq=4', [7, 6], true],
    ['?after_seq=1&before_seq=6', [4, 5], false],
    ['?after_seq=6&before_seq=1', [], false]
  ]
  for (const [query, seqs, hasMore] of cases) {
    const page = await list(query)
    t.same(
      page.data.map((turn: { seq: number }) => turn.seq),
      seqs,
      `seqs of ${query}`
    )
    t.equal(page.has_more, hasMore, `has_more of ${query}`)
    t.equal(page.first_id, page.data[0]?.id ?? null)
    t.equal(page.last_id, page.data.at(-1)?.id ?? null)
  }
})

t.test('100 turns at the same time in one conversation get the seqs 1 to 100', async (t) => {
  const upstream = await startUpstream(t)
  const { url, chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const messages = [{ role: 'user', content: `question ${i}` }]
      const res = await chat({ messages, stream: i % 2 === 0 }, { 'x-conversation-id': id })
      await res.text()
      return { status: res.status, turn: res.headers.get('x-turn-id'), seq: res.headers.get('x-turn-seq') }
    })
  )
  t.ok(answers.every((answer) => answer.status === 200))
  const turns = await turnsOf(id)
  const counted = Array.from({ length: 100 }, (_, i) => i + 1)
  t.same(
    turns.map((turn) => turn.seq),
    counted
  )
  t.same(
    answers.map((answer) => Number(answer.seq)).sort((a, b) => a - b),
    counted,
    'each answer announced a seq of its own'
  )
  t.same(turns.map((turn) => turn.user_text).sort(), counted.map((n) => `question ${n - 1}`).sort())
  for (const turn of turns) {
    const announced = answers.find((answer) => answer.turn === turn.id)
    if (
      turn.status !== 'completed' ||
      turn.parent_seq !== turn.seq - 1 ||
      Number(announced?.seq) !== turn.seq
    ) {
      t.fail(`turn ${turn.seq} is not what its answer announced`, { turn, announced })
    }
  }
  t.equal((await request(`${url}/v1/conversations/${id}`)).json.last_seq, 100)
})

t.test('a failed turn keeps its seq, and the next one follows it', async (t) => {
  const upstream = await startUpstream(t, (res) => sendJson(res, 500, { error: { message: 'no' } }))
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const first = await chat()
  t.equal(first.status, 500)
  await first.text()
  const id = first.headers.get('x-conversation-id') ?? ''
  await (await chat({}, { 'x-conversation-id': id })).text()
  t.match(await turnsOf(id), [
    { seq: 1, parent_seq: 0, status: 'failed', error: 'upstream_error', assistant_text: null },
    { seq: 2, parent_seq: 1, status: 'failed', error: 'upstream_error', assistant_text: null }
  ])
})

t.test('the turns of a conversation that is not there are a 404', async (t) => {
  const { url } = await startApp(t)
  const res = await request(`${url}/v1/conversations/conv_${'0'.repeat(32)}/turns`)
  isErrorReply(t, res, 404, { code: 'conversation_not_found', param: null }, 'turns')
})
