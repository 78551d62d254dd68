import t, { type Test } from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply, type Reply } from '../helper/request.ts'
import { ALICE, BOB, startStateful } from '../helper/stateful.ts'

const FULL = { code: 'conversation_full', message: /MAX_TURNS_PER_CONVERSATION/ }
const TOO_MANY = { code: 'too_many_conversations', message: /MAX_CONVERSATIONS_PER_SESSION/ }
const ITEM = { role: 'user', content: 'Hi' }
const CHAT = { model: 'm', messages: [ITEM] }

for (const [name, place] of Object.entries(DRIVERS)) {
  const start = async (t: Test, settings: Record<string, string>) => {
    const service = await startStateful(t, { AUTH: 'header', DB_URL: await place(t), ...settings })
    const post = async (path: string, body: object, headers = ALICE) =>
      service.call(path, { body, headers }) as Promise<Reply>
    const lists = async () => (await service.call('/conversations', { headers: ALICE })).json.data as object[]
    return { ...service, post, lists }
  }

  t.test(`${name}: a conversation takes so many turns, and the next is a 400 however it comes`, async (t) => {
    const { post, call, upstream } = await start(t, { MAX_TURNS_PER_CONVERSATION: '3' })
    const { id } = (await post('/conversations', {})).json
    t.equal((await post('/chat/completions', { ...CHAT, conversation: id })).status, 200)
    t.equal((await post(`/conversations/${id}/items`, { items: [ITEM] })).status, 200)
    t.equal((await post('/responses', { model: 'm', input: 'x', conversation: id })).status, 200)
    const before = await call(`/conversations/${id}/turns`, { headers: ALICE })
    t.equal(before.json.data.length, 3)
    const asked = upstream.calls.length

    const filed = { ...ALICE, 'x-conversation-id': id }
    const attempts: [path: string, body: object, headers?: typeof ALICE][] = [
      ['/chat/completions', { ...CHAT, conversation: id }],
      ['/chat/completions', { ...CHAT, conversation_id: id }],
      ['/chat/completions', CHAT, filed],
      ['/chat/completions', { ...CHAT, stream: true }, { ...filed, 'x-parent-seq': '0' } as never],
      ['/responses', { model: 'm', input: 'y', conversation: id }],
      ['/responses', { model: 'm', input: 'y', stream: true }, filed],
      [`/conversations/${id}/items`, { items: [ITEM] }]
    ]
    for (const [path, body, headers] of attempts) {
      isErrorReply(t, await post(path, body, headers), 400, FULL, `${path} ${JSON.stringify(body)}`)
    }
    t.equal(upstream.calls.length, asked, 'the upstream heard nothing')
    t.equal((await call(`/conversations/${id}/turns`, { headers: ALICE })).text, before.text)

    t.equal((await post('/chat/completions', CHAT)).status, 200, 'a new conversation is free')
    const unrecorded = { ...CHAT, conversation: id, store: false }
    t.equal((await post('/chat/completions', unrecorded)).status, 200, 'what is not recorded takes no place')
  })

  t.test(
    `${name}: a session has so many conversations, and the next is a 400 however it comes`,
    async (t) => {
      const { post, call, lists, upstream } = await start(t, { MAX_CONVERSATIONS_PER_SESSION: '2' })
      const { id } = (await post('/conversations', {})).json
      t.equal((await post('/chat/completions', CHAT)).status, 200)
      for (const [path, body] of [
        ['/conversations', {}],
        ['/conversations', { items: [ITEM] }],
        ['/chat/completions', CHAT],
        ['/chat/completions', { ...CHAT, stream: true }],
        ['/responses', { model: 'm', input: 'x' }]
      ] as const) {
        isErrorReply(t, await post(path, body), 400, TOO_MANY, `${path} ${JSON.stringify(body)}`)
      }
      t.equal((await lists()).length, 2)
      t.equal(upstream.calls.length, 1, 'the upstream heard nothing')

      t.equal((await post('/chat/completions', { ...CHAT, conversation: id })).status, 200, 'they go on')
      t.equal((await post('/conversations', {}, BOB)).status, 200, 'another session has its own')
      await call(`/conversations/${id}`, { method: 'DELETE', headers: ALICE })
      t.equal((await post('/responses', { model: 'm', input: 'x' })).status, 200, 'a place was given back')
    }
  )
}
