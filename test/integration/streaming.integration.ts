import t from 'tap'
import { within } from '../helper/endings.ts'
import { ask, type Reply } from './client.ts'
import { answerTo, startCluster } from './cluster.ts'
import { withoutNginx } from './nginx.ts'

const PATIENCE_MS = 15_000
const { TARGET_URL } = process.env

t.test(
  'behind the load balancer',
  { skip: TARGET_URL ? 'TARGET_URL names a running service' : withoutNginx },
  async (t) => {
    const { url, sent, hold } = await startCluster(t)

    t.test(
      'a stream is not gathered on its way: its begin arrives before the upstream has its end',
      async (t) => {
        const { release } = hold()
        const begun = Promise.withResolvers<void>()
        const reply = ask(url, 'hold streaming', { onText: () => begun.resolve() })
        await within(PATIENCE_MS, 'the begin of the answer', begun.promise)
        release()
        const { answer, done, failure } = await within(PATIENCE_MS, 'the end of the answer', reply)
        t.match({ answer, done, failure }, { answer: answerTo('hold streaming'), done: true, failure: null })
      }
    )

    t.test('a client that leaves is noticed, and the upstream call cancelled', async (t) => {
      const { release } = hold()
      const leave = new AbortController()
      const reply = await ask(url, 'hold leaving', { signal: leave.signal, onText: () => leave.abort() })
      t.equal(reply.done, false)
      const call = sent.find(({ question }) => question === 'hold leaving')
      await within(PATIENCE_MS, 'the cancel', call?.cancelled ?? Promise.reject(new Error('never asked')))
      release()
    })

    t.test('a body that is too large is refused by the API, in the shape of its errors', async (t) => {
      const res = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-session-id': 'integration' },
        body: 'x'.repeat(20_971_521)
      })
      t.equal(res.status, 413)
      t.match(await res.json(), { error: { code: 'request_too_large' } })
    })
  }
)

t.test('a stream arrives in pieces', { skip: TARGET_URL ? false : 'only with TARGET_URL' }, async (t) => {
  const reply: Reply = await ask(TARGET_URL ?? '', 'Hello')
  t.match(reply, { status: 200, done: true, failure: null })
  t.ok(reply.reads > 2, `${reply.reads} reads`)
})
