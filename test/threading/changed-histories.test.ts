import t from 'tap'
import { ask, assistant, chatOf, type Message, startTalk as start, user } from '../helper/talk.ts'
import { completion, sendJson } from '../helper/upstream.ts'

/** Long enough not to be everybody's. */
const QUESTION = 'What came of the first of them?'

t.test('a history that the client has cut or changed is known by its answers', async (t) => {
  const running = await start(t)
  const { messages, id } = await chatOf(running, [QUESTION, 'two', 'three', 'four'])
  const window = await ask(running, [...messages.slice(-4), user('five')])
  t.match(window, { match: 'anchor', conversationId: id, seq: 5 })
  const same = [...messages.slice(-4), user('five'), window.message]
  t.match(await ask(running, [...same, user('six')]), { match: 'exact', conversationId: id, seq: 6 })
  const summary = { role: 'system', content: 'So far: numbers.' }
  const summed = await ask(running, [summary, ...same.slice(-4), user('seven')])
  t.match(summed, { match: 'anchor', conversationId: id, seq: 7 })
  const quoted = await ask(running, [user('So far: numbers.'), ...same.slice(-3), user('eight')])
  t.match(quoted, { match: 'anchor', conversationId: id, seq: 8 })
  const changed = [user(`${QUESTION}, from file.txt: …`), messages[1] as Message, user('another')]
  t.match(await ask(running, changed), { match: 'anchor', conversationId: id }, 'with the question around it')
  const strange = await ask(running, [user('nothing alike'), messages[1] as Message, user('another')])
  t.match(strange, { match: 'new' }, 'one answer of less than 200 characters alone proves nothing')
  const wrong = [
    user('one'),
    assistant('An answer that was never given, at any length.'),
    ...messages.slice(-2)
  ]
  t.match(await ask(running, [...wrong, user('five')]), { match: 'new' }, 'nor do answers that contradict')
})

t.test('what many are answered, to a question in passing, joins nobody', async (t) => {
  const running = await start(t)
  const refusal = "I'm sorry, but I can't assist with that."
  const { script } = running.upstream
  running.upstream.script = (res) => sendJson(res, 200, completion(refusal))
  const first = await ask(running, [user('hi')])
  running.upstream.script = script
  await ask(running, [user('hi'), assistant(refusal), user('two')])
  const other = [user('Which white wine goes with fish?'), assistant(refusal), user('why not?')]
  t.match(await ask(running, other), { match: 'new' })
  t.same(await running.path(first.conversationId), [1, 2])
})

t.test('a long answer that others got too is no evidence, however often it came', async (t) => {
  const running = await start(t)
  const refusal = 'I can not help with that, for reasons that are in our terms. '.repeat(5).trim()
  const { script } = running.upstream
  running.upstream.script = (res) => sendJson(res, 200, completion(refusal))
  const first = await chatOf(running, ['a secret', 'another secret', 'a third'])
  await chatOf(running, ['something', 'something else'])
  running.upstream.script = script
  const refused = [assistant(refusal), user('no?')]
  // Three in a row are in one of the two chats alone.
  const window = [...refused, ...refused, assistant(refusal), user('why?')]
  t.match(await ask(running, window), { match: 'new' })
  t.same(await running.path(first.id), [1, 2, 3])
})

t.test(
  'an answer is not found in a conversation that begins with it, where more was said before',
  async (t) => {
    const running = await start(t)
    const first = await chatOf(running, [QUESTION])
    const answer = first.messages[1] as Message
    const before = [user('earlier'), assistant('What nobody has stored, at whatever length it is.')]
    const other = [...before, user(QUESTION), answer, user('and now?')]
    t.match(await ask(running, other), { match: 'new' })
    t.same(await running.path(first.id), [1])
  }
)

t.test('of the answers before it none may be missing but calls of tools', async (t) => {
  const running = await start(t)
  const { messages, id } = await chatOf(running, ['one', 'two', 'three'])
  const [one, two, three] = [messages[1], messages[3], messages[5]] as [Message, Message, Message]
  const cut = [one, user('changed'), three, user('and now?')]
  t.match(await ask(running, cut), { match: 'new' })
  const whole = [one, user('changed'), two, user('changed too'), three, user('and now?')]
  t.match(await ask(running, whole), { match: 'anchor', conversationId: id })
})
