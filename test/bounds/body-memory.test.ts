import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { eventually } from '../helper/endings.ts'
import { rawConnect } from '../helper/raw-client.ts'
import { isErrorReply, request } from '../helper/request.ts'

/** A body that is promised and does not come; resolves when the server knows of it. */
async function upload(t: Test, url: string, session: string, length: string) {
  const client = await rawConnect(t, url)
  const head = [
    'POST /v1/conversations HTTP/1.1',
    'host: localhost',
    `x-session-id: ${session}`,
    'content-type: application/json',
    'expect: 100-continue',
    length
  ]
  client.socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await client.until('100 Continue')
  return client
}

t.test('bodies under way are bounded together, and for a session', async (t) => {
  const { url } = await startApp(t, { AUTH: 'header', MAX_BODIES_BYTES: '4000', ALLOW_INSECURE_AUTH: 'true' })
  const say = (session: string, bytes: number) =>
    request(`${url}/v1/conversations`, {
      headers: { 'x-session-id': session },
      body: JSON.stringify({ title: 'x'.repeat(bytes - 12) })
    })
  const busy = (session: string, status: number) =>
    eventually(`${session} gets ${status}`, async () => (await say(session, 200)).status === status)

  const first = await upload(t, url, 'a', 'content-length: 900')
  await busy('a', 429)
  isErrorReply(t, await say('a', 200), 429, { code: 'rate_limit_exceeded', message: /MAX_BODIES_BYTES/ }, 'a')
  t.equal((await say('a', 50)).status, 200, 'what still fits is taken')
  t.equal((await say('b', 200)).status, 200, 'others have their own part')

  for (const session of ['b', 'c', 'd']) await upload(t, url, session, 'content-length: 1000')
  await busy('e', 503)
  const refused = await say('e', 200)
  isErrorReply(t, refused, 503, { code: 'server_busy', message: /MAX_BODIES_BYTES/ }, 'e')
  t.equal(refused.headers.get('retry-after'), '1')

  first.socket.destroy()
  await busy('e', 200)
  await busy('a', 200)
})

t.test('a session may always have one body, and one of unknown length counts as the largest', async (t) => {
  const { url } = await startApp(t, { AUTH: 'header', MAX_REQUEST_BYTES: '3000', MAX_BODIES_BYTES: '4000' })
  const headers = { 'x-session-id': 'a' }
  const body = JSON.stringify({
    title: 'x'.repeat(400),
    metadata: Object.fromEntries(['a', 'b', 'c'].map((k) => [k, 'y'.repeat(500)]))
  })
  t.equal((await request(`${url}/v1/conversations`, { headers, body })).status, 200)

  await upload(t, url, 'b', 'transfer-encoding: chunked')
  await eventually(
    'it counts',
    async () => (await request(`${url}/v1/conversations`, { headers, body })).status === 503
  )
})
