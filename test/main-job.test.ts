import t from 'tap'
import { startApp } from './helper/app.ts'
import { startUpstream } from './helper/upstream.ts'

t.test('a streamed answer reaches the client unchanged and is kept as one turn', async (t) => {
  const upstream = await startUpstream(t)
  const { chat, turnsOf, app } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  const before = app.store.counters.transactions
  const res = await chat({ stream: true })
  const text = await res.text()
  t.match(text, /Hello.* world.*\[DONE\]/s)
  const [turn] = await turnsOf(res.headers.get('x-conversation-id') ?? '')
  t.match(turn, {
    id: res.headers.get('x-turn-id'),
    seq: 1,
    user_text: 'Hi',
    assistant_text: 'Hello world',
    status: 'completed',
    finish_reason: 'stop',
    completion_id: 'chatcmpl-test',
    error: null,
    detail: null
  })
  t.equal(app.store.counters.transactions - before, 2)
})
