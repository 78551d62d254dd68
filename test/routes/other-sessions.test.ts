import t from 'tap'
import { ALICE, BOB, startStateful, visible } from '../helper/stateful.ts'

t.test(
  "another session's ids look like ones that never were, byte for byte, and call no upstream",
  async (t) => {
    const { call, upstream } = await startStateful(t, { AUTH: 'header' })
    const asAlice = (path: string, body: object) => call(path, { body, headers: ALICE })
    const response = await asAlice('/responses', { model: 'm', input: 'secret' })
    const conversation = response.headers.get('x-conversation-id')
    await asAlice('/chat/completions', {
      model: 'm',
      messages: [{ role: 'user', content: 'secret' }],
      conversation
    })
    const { data } = (await call(`/conversations/${conversation}/items?order=asc`, { headers: ALICE })).json
    const calls = upstream.calls.length
    const seen = async () =>
      Promise.all(
        ['/responses/resp_1', '/chat/completions/chatcmpl-2', `/conversations/${conversation}/turns`].map(
          async (path) => (await call(path, { headers: ALICE })).text
        )
      )
    const before = await seen()
    const zeros = (id: string) => id.replace(/[0-9a-f]{32}/, '0'.repeat(32))
    const turn = response.headers.get('x-turn-id') ?? ''
    const body = { input: 'x', messages: [{ role: 'user', content: 'x' }] }
    const cases: [
      foreign: string,
      never: string,
      uses: [suffix: string, method: string, body?: object][],
      at: string
    ][] = [
      [
        'resp_1',
        'resp_0',
        [
          ['', 'GET'],
          ['', 'DELETE'],
          ['/input_items', 'GET']
        ],
        '/responses/'
      ],
      [
        turn,
        zeros(turn),
        [
          ['', 'GET'],
          ['', 'DELETE'],
          ['/input_items', 'GET']
        ],
        '/responses/'
      ],
      [
        'chatcmpl-2',
        'chatcmpl-0',
        [
          ['', 'GET'],
          ['', 'DELETE'],
          ['', 'POST', { metadata: {} }],
          ['/messages', 'GET']
        ],
        '/chat/completions/'
      ],
      [
        `${conversation}`,
        zeros(`${conversation}`),
        [
          ['/items', 'GET'],
          ['/items', 'POST', { items: [{ role: 'user', content: 'x' }] }],
          [`/items/${data[0].id}`, 'GET'],
          [`/items/${data[0].id}`, 'DELETE'],
          [`/items?after=${data[0].id}`, 'GET']
        ],
        '/conversations/'
      ]
    ]
    for (const [foreign, never, uses, at] of cases) {
      for (const [suffix, method, given] of uses) {
        const ask = async (id: string) =>
          visible(await call(at + id + suffix, { method, headers: BOB, ...(given && { body: given }) }))
        const answer = await ask(foreign)
        t.equal(answer, await ask(never), `${method} ${at}…${suffix.slice(0, 8)}`)
        t.match(answer, /^\[404,/)
      }
    }
    for (const field of ['previous_response_id', 'conversation', 'conversation_id']) {
      const [real, none] =
        field === 'previous_response_id' ? ['resp_1', 'resp_0'] : [conversation, zeros(`${conversation}`)]
      const ask = async (id: unknown) =>
        visible(await call('/responses', { body: { ...body, [field]: id }, headers: BOB }))
      t.equal((await ask(real)).replaceAll('resp_1', 'resp_0'), await ask(none), field)
    }
    const after = await call('/chat/completions?after=chatcmpl-2', { headers: BOB })
    t.equal(
      visible(after),
      visible(await call('/chat/completions?after=chatcmpl-0', { headers: BOB })),
      'a cursor'
    )
    t.strictSame((await call('/chat/completions', { headers: BOB })).json.data, [])
    t.strictSame(await seen(), before, 'nothing changed')
    t.equal(upstream.calls.length, calls)
  }
)
