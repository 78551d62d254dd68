import t, { type Test } from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { startStateful, told } from '../helper/stateful.ts'
import { DONE, delta, startSse } from '../helper/upstream.ts'

async function oneTurn(t: Test, settings: Record<string, string> = {}) {
  const running = await startStateful(t, settings)
  const id = await running.create()
  await running.say(id, 'Hi')
  const at = `/conversations/${id}`
  const remove = (item: string) => running.call(`${at}/items/${item}`, { method: 'DELETE' })
  return { ...running, id, at, remove }
}

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(
    `${name}: a deleted item is gone and the others keep their ids; the conversation is the answer`,
    async (t) => {
      const { id, at, call, remove, itemsOf, turnsOf } = await oneTurn(t, { DB_URL: await makePlace(t) })
      const items = [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
        { role: 'assistant', content: 'c' }
      ]
      await call(`${at}/items`, { body: { items } })
      const before = await itemsOf(id)
      const deleted = await remove(before[2]?.id ?? '')
      t.equal(deleted.status, 200)
      t.strictSame(deleted.json, (await call(at)).json, 'the conversation')
      t.equal(deleted.json.object, 'conversation')
      t.strictSame(await itemsOf(id), before.toSpliced(2, 1))
      isErrorReply(
        t,
        await remove(before[2]?.id ?? ''),
        404,
        { code: 'item_not_found', param: null },
        'again'
      )
      t.match((await turnsOf(id))[1], { kind: 'items', user_text: 'b', assistant_text: 'c' })
    }
  )

  t.test(
    `${name}: without one of its items a turn is no completion any more, without all of them it is no turn`,
    async (t) => {
      const { id, remove, itemsOf, turnsOf, call } = await oneTurn(t, { DB_URL: await makePlace(t) })
      const [user, assistant] = await itemsOf(id)
      t.equal((await call('/chat/completions/chatcmpl-1')).status, 200)
      await remove(assistant?.id ?? '')
      t.equal((await call('/chat/completions/chatcmpl-1')).status, 404)
      t.strictSame((await call('/chat/completions')).json.data, [])
      t.match(await turnsOf(id), [{ kind: 'items', user_text: 'Hi', assistant_text: null }])
      t.equal((await remove(user?.id ?? '')).status, 200)
      t.strictSame(await turnsOf(id), [])
      t.equal((await call(`/conversations/${id}`)).json.last_seq, 1, 'the number is not given again')
    }
  )
}

t.test('what is deleted is not said to a model again', async (t) => {
  const { id, remove, itemsOf, say, sent } = await oneTurn(t)
  await remove((await itemsOf(id))[1]?.id ?? '')
  await say(id, 'And now')
  t.strictSame(told(sent().messages), ['user: Hi', 'user: And now'])
})

t.test('an item of a turn that runs can be read and not deleted', async (t) => {
  const { id, remove, itemsOf, upstream, chat, turnsOf } = await oneTurn(t)
  let finish = () => {}
  upstream.script = (res) => {
    startSse(res)
    res.write(delta({ content: 'late' }))
    finish = () => res.end(DONE)
  }
  const running = await chat({ stream: true, conversation: id })
  const asked = (await itemsOf(id))[2]
  t.match(asked, { role: 'user', status: 'completed' })
  isErrorReply(t, await remove(asked?.id ?? ''), 400, { code: 'conversation_locked', param: null }, 'running')
  finish()
  await running.text()
  t.match(await turnsOf(id), [{}, { status: 'completed', assistant_text: 'late' }])
  t.equal((await remove(asked?.id ?? '')).status, 200, 'once it has ended')
})

t.test('an item or a conversation that is not there is a 404', async (t) => {
  const { id, call, itemsOf, create, say } = await oneTurn(t)
  const other = await create()
  await say(other, 'There')
  const [foreign] = await itemsOf(other)
  const [own] = await itemsOf(id)
  const made = (seq: string, position: string) => `${own?.id.slice(0, 36)}${seq}${position}`
  const missing = [
    'x',
    foreign?.id ?? '',
    made('00000001', '0001'),
    made('00000001', '8001'),
    made('00000002', '0000'),
    made('00000000', '0000'),
    made('7fffffff', '0000'),
    made('ffffffff', '0000'),
    `fc_${own?.id.slice(4)}`
  ]
  for (const method of ['GET', 'DELETE']) {
    for (const item of missing) {
      const res = await call(`/conversations/${id}/items/${item}`, { method })
      isErrorReply(t, res, 404, { code: 'item_not_found', param: null }, `${method} ${item}`)
    }
  }
  for (const conversation of ['conv_1', `conv_${'0'.repeat(32)}`, own?.id ?? '']) {
    const at = `/conversations/${conversation}/items`
    const calls: [string, Parameters<typeof call>[1]][] = [
      [at, {}],
      [at, { body: { items: [{ role: 'user', content: 'x' }] } }],
      [`${at}/${own?.id}`, {}],
      [`${at}/${own?.id}`, { method: 'DELETE' }]
    ]
    for (const [path, options] of calls) {
      const res = await call(path, options)
      isErrorReply(t, res, 404, { code: 'conversation_not_found', param: null }, `${path.slice(0, 30)}`)
    }
  }
})
