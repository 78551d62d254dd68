import path from 'node:path'
import t from 'tap'
import { startApp, tempFolder } from './helper/app.ts'
import { eventually, within } from './helper/endings.ts'
import { type Mishap, registerFailing, type Troubles } from './helper/failing-driver.ts'
import { lockFile } from './helper/foreign-lock.ts'
import { chatRequest, rawChat, rawConnect } from './helper/raw-client.ts'
import { isErrorReply, request } from './helper/request.ts'
import { spawnServer } from './helper/server-process.ts'
import { delta, startSse, startUpstream } from './helper/upstream.ts'

const troubles: Troubles = {}
registerFailing(troubles)
const failing = (folder: string) => ({ DB_URL: `failing:${path.join(folder, 'test.db')}` })

t.test('a store that hangs makes the service not ready within a second, and no less alive', async (t) => {
  const { url } = await startApp(t, failing(tempFolder(t)))
  let pings = 0
  let state: Mishap = 'hangs'
  troubles.ping = () => {
    pings += 1
    return state
  }
  const asked = performance.now()
  const replies = await Promise.all(Array.from({ length: 50 }, () => request(`${url}/readyz`)))
  const tookMs = performance.now() - asked
  for (const reply of replies) isErrorReply(t, reply, 503, { code: 'storage_unavailable' }, 'readyz')
  t.equal(pings, 1, 'all probes share one question to the store')
  t.ok(tookMs >= 800 && tookMs < 10_000, 'each was answered in about a second')
  const alive = performance.now()
  t.equal((await request(`${url}/livez`)).status, 200)
  t.ok(performance.now() - alive < 800, 'nothing waits for the store here')
  state = null
})

t.test('a store that fails and comes back is seen at the next probe', async (t) => {
  const { url } = await startApp(t, failing(tempFolder(t)))
  const states: Mishap[] = ['fails', null, 'fails', null]
  troubles.ping = () => states.shift() ?? null
  const ready = async () => (await request(`${url}/readyz`)).status
  t.same([await ready(), await ready(), await ready(), await ready()], [503, 200, 503, 200])
})

t.test('while the store is brought up the port is closed, and then it is ready', async (t) => {
  const file = path.join(tempFolder(t), 'test.db')
  const release = await lockFile(t, file)
  const server = spawnServer(t, { DB_URL: `sqlite:${file}`, PORT: '0' })
  const first = await Promise.race([
    server.listening.then(() => 'listening'),
    new Promise((resolve) => setTimeout(() => resolve('waiting'), 1_500)) // a start takes well under a second
  ])
  t.equal(first, 'waiting')
  await release()
  const url = await within(15_000, 'the start', server.listening)
  t.equal((await request(`${url}/readyz`)).status, 200)
})

t.test('closing is bounded: by bodies, upstreams and a store that hang all at once', async (t) => {
  const upstream = await startUpstream(t, (res) => {
    startSse(res)
    res.write(delta({ content: 'Hello' }))
  })
  const { app, url } = await startApp(t, {
    ...failing(tempFolder(t)),
    OPENAI_BASE_URL: upstream.url,
    DRAIN_TIMEOUT_MS: '200',
    FINAL_WRITE_TIMEOUT_MS: '300'
  })
  const streaming = await rawChat(t, url, { stream: true })
  await streaming.until('Hello')
  const stuck = await rawConnect(t, url)
  stuck.socket.write(chatRequest().slice(0, -5)) // a body that never ends
  await eventually('it has connected', () => stuck.socket.readyState === 'open')
  troubles.finishTurn = () => 'hangs'
  troubles.close = () => 'hangs'
  t.teardown(() => {
    troubles.finishTurn = () => null
    troubles.close = () => null
  })
  const closing = performance.now()
  await within(15_000, 'the close', app.close())
  t.ok(performance.now() - closing < 12_000) // 0.5 s for the exchange, 2 s for sockets, 5 s for the store
  await streaming.closed
  t.match(streaming.received(), /server_shutdown/)
  await stuck.closed
})
