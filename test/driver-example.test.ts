import t from 'tap'
import { openStore, registerDriver } from '../storage/open-store.ts'
import { startApp } from './helper/app.ts'
import { codeBlocks, readSource } from './helper/doc-tables.ts'
import { startUpstream } from './helper/upstream.ts'
import { storeContract } from './storage/contract.ts'

registerDriver('memory', async () => (await import('./fixtures/memory-driver.ts')).memoryStore)

let places = 0

storeContract('memory', () => {
  places += 1
  const url = `memory:${places}`
  return () => openStore(url, { report() {} })
})

t.test('the service runs on a driver that a host brings', async (t) => {
  const upstream = await startUpstream(t)
  const { chat, turnsOf } = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: 'memory:chat' })
  const res = await chat({ stream: true })
  t.match(await res.text(), /Hello.* world.*\[DONE\]/s)
  const turns = await turnsOf(res.headers.get('x-conversation-id') ?? '')
  t.match(turns, [{ seq: 1, user_text: 'Hi', assistant_text: 'Hello world', status: 'completed' }])
})

t.test('it runs on one that nobody may change', async (t) => {
  registerDriver(
    'frozen',
    async () => async (location, options) => Object.freeze(await openStore(`memory:${location}`, options))
  )
  const { url } = await startApp(t, { DB_URL: 'frozen:chat' })
  t.equal((await fetch(`${url}/readyz`)).status, 200)
})

t.test('the driver in docs/drivers.md is the one that is tested', async (t) => {
  const [driver] = codeBlocks(readSource('docs/drivers.md'), 'ts')
  t.equal(driver, readSource('test/fixtures/memory-driver.ts'))
})
