import t from 'tap'
import { createClient } from '../../client/index.js'
import { startApp } from '../helper/app.ts'
import { allOf, HI, startClient } from '../helper/client.ts'
import { gate } from '../helper/endings.ts'
import { completion, DONE, delta, finish, sendJson, startSse } from '../helper/upstream.ts'

t.test('a whole answer comes with the place where it is kept', async (t) => {
  const { client, turnsOf } = await startClient(t)
  const { completion: answer, filed } = await client.chat.create({ messages: HI, temperature: 0.5 })
  t.equal(answer.choices[0]?.message.content, 'Hello world')
  const [turn] = await turnsOf(filed?.conversationId ?? '')
  t.match(turn, { id: filed?.turnId, seq: filed?.seq, conversation_id: filed?.conversationId })
  const unrecorded = await client.chat.create({ messages: HI, store: false })
  t.equal(unrecorded.filed, null)
})

t.test('the body goes on as it is, and the options are headers', async (t) => {
  const { client, upstream, turnsOf } = await startClient(t)
  const first = await client.chat.create({ messages: HI })
  const id = first.filed?.conversationId ?? ''
  const body = {
    messages: HI,
    model: 'm',
    odd: [1, { nested: null }],
    stream_options: { include_usage: true }
  }
  const key = 'a key'
  const stream = client.chat.stream(body, { conversationId: id, parentSeq: 0, idempotencyKey: key })
  t.match(await stream.turn(), { conversation_id: id, seq: 2, parent_seq: 0, status: 'completed' })
  t.strictSame(JSON.parse(upstream.calls.at(-1)?.body ?? ''), { ...body, stream: true })
  const again = client.chat.stream(body, { conversationId: id, parentSeq: 0, idempotencyKey: key })
  t.equal((await allOf(again)).join(''), 'Hello world', 'the same request is answered from its turn')
  t.equal((await again.filed)?.seq, 2)
  t.equal((await turnsOf(id)).length, 2)
  t.equal(upstream.calls.length, 2)
  await client.chat.create({ conversation: id, messages: [{ role: 'user', content: 'And?' }] })
  t.equal((await turnsOf(id)).length, 3)
})

t.test('a stream says where it is kept before its first piece, and then what is kept', async (t) => {
  const { opened, open } = gate()
  const { client, turnsOf } = await startClient(t, {
    script: async (res) => {
      startSse(res)
      res.write(': nothing yet\n\n')
      await opened
      res.end(delta({ content: 'Hello' }) + delta({ content: ' world' }) + finish() + DONE)
    }
  })
  const stream = client.chat.stream({ messages: HI })
  const filed = await stream.filed
  t.match(await turnsOf(filed?.conversationId ?? ''), [{ id: filed?.turnId, status: 'in_progress' }])
  open()
  t.strictSame(await allOf(stream), ['Hello', ' world'])
  const turn = await stream.turn()
  t.match(turn, { id: filed?.turnId, status: 'completed', assistant_text: 'Hello world' })
  t.strictSame(await turnsOf(filed?.conversationId ?? ''), [turn])
})

t.test('a stream is read as often as one likes, each time from its beginning', async (t) => {
  const usage = { prompt_tokens: 1, completion_tokens: 2 }
  const { client } = await startClient(t, {
    script: (res) => {
      startSse(res)
      const rest = `data: ${JSON.stringify({ id: 'x', usage })}\n\n${DONE}`
      res.end(delta({ reasoning_content: 'Hm.' }) + delta({ content: 'Hello' }) + finish() + rest)
    }
  })
  const stream = client.chat.stream({ messages: HI })
  const turn = stream.turn()
  const [texts, chunks] = await Promise.all([allOf(stream), allOf(stream.chunks())])
  t.strictSame(texts, ['Hello'])
  t.match(chunks, [
    { object: 'chat.completion.chunk', choices: [{ delta: { reasoning_content: 'Hm.' } }] },
    { choices: [{ delta: { content: 'Hello' } }] },
    { choices: [{ finish_reason: 'stop' }] },
    { choices: [], usage }
  ])
  t.match(await turn, { assistant_text: 'Hello', detail: { usage } })
  t.strictSame(await allOf(stream), texts)
})

t.test('the turn is read to its end though nobody iterates', async (t) => {
  const { client } = await startClient(t)
  t.match(await client.chat.stream({ messages: HI }).turn(), {
    status: 'completed',
    assistant_text: 'Hello world'
  })
})

t.test('a stream that is not recorded has no turn', async (t) => {
  const { client } = await startClient(t)
  const stream = client.chat.stream({ messages: HI, store: false })
  t.equal(await stream.filed, null)
  t.equal((await allOf(stream)).join(''), 'Hello world')
  t.equal(await stream.turn(), null)
})

t.test('an upstream that answers in JSON all the same gives one piece', async (t) => {
  const { client } = await startClient(t, { script: (res) => sendJson(res, 200, completion('Hello world')) })
  const stream = client.chat.stream({ messages: HI })
  t.strictSame(await allOf(stream), ['Hello world'])
  t.match(await stream.turn(), { assistant_text: 'Hello world', finish_reason: 'stop' })
})

t.test('events that are no chunks are left out', async (t) => {
  const odd = ['{"id":', 'null', '[1]', '"text"', '17', '{}', 'true']
    .map((data) => `data: ${data}\n\n`)
    .join('')
  const { client } = await startClient(t, {
    script: (res) => {
      startSse(res)
      res.end(`${odd}${delta({ content: 'Hello' })}data: [DONE] \n\n`)
    }
  })
  const chunks = await allOf(client.chat.stream({ messages: HI }).chunks())
  t.strictSame(
    chunks.map(({ choices }) => choices.length),
    [0, 1],
    'the empty object is one, and says nothing'
  )
})

t.test('the text is that of choice 0 alone', async (t) => {
  const piece = (index: number, content: unknown) =>
    `data: ${JSON.stringify({ choices: [{ index, delta: { content }, finish_reason: null }] })}\n\n`
  const { client } = await startClient(t, {
    script: (res) => {
      startSse(res)
      const end = `data: ${JSON.stringify({ choices: [null, { delta: null }] })}\n\n`
      res.end(
        piece(1, 'other') + piece(0, 'one') + piece(0, '') + piece(0, null) + piece(0, ' two') + end + DONE
      )
    }
  })
  t.strictSame(await allOf(client.chat.stream({ messages: HI, n: 2 })), ['one', ' two'])
})

t.test('the demo: models, figures and a streamed answer', async (t) => {
  const { url } = await startApp(t)
  const client = createClient({ baseUrl: `${url}/v1/` })
  t.match(await client.models.list(), [{ id: 'turnkeeper-demo', object: 'model' }])
  const stream = client.chat.stream({ messages: HI })
  const pieces = await allOf(stream)
  t.ok(pieces.length > 20, `${pieces.length} pieces`)
  t.equal((await stream.turn())?.assistant_text, pieces.join(''))
  const { days } = await client.stats.get({ days: 2 })
  t.equal(days.length, 2)
  t.match(days.at(-1), { turns: 1, endings: [{ status: 'completed', error: null, turns: 1 }] })
  t.match(await client.metrics(), /^# HELP /)
})
