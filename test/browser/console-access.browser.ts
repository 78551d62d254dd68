import t from 'tap'
import { newApiKey } from '../../storage/keys/api-key.ts'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'
import { plainAnswer, sendJson, startUpstream, type UpstreamScript } from '../helper/upstream.ts'
import { BROWSER } from './helper/browser.ts'
import {
  answersIn,
  eventually,
  idIn,
  messageIn,
  noteIn,
  open,
  rowsIn,
  say,
  settled,
  startConsole
} from './helper/console.ts'

t.test('with AUTH=key the page asks for a key, and knows it after a reload', BROWSER, async (t) => {
  const { app, page, seen, url, newWindow } = await startConsole(t, {
    script: plainAnswer,
    settings: { AUTH: 'key' }
  })
  const { key, stored } = newApiKey({ sessionId: 'alice', name: null, createdAt: Date.now() })
  await app.store.keys.add(stored)
  await page.goto(`${url}/`)
  const field = page.getByLabel('API key or token')
  await page.getByText('This server asks who you are.').waitFor()
  t.ok(await field.evaluate((input) => input === document.activeElement), 'it has the focus')
  await field.fill('tk_wrong')
  await page.keyboard.press('Enter')
  await page.getByText('The key or token was not accepted.').waitFor()
  t.equal(await field.inputValue(), '')
  await field.fill(`  ${key} `)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('No conversations yet').waitFor()
  await say(page, 'It is me')
  await settled(page, 1)
  const id = idIn(page)
  await page.reload()
  await answersIn(page).waitFor()
  t.equal(await field.count(), 0)
  const owned = await app.store.getConversation('alice', id)
  t.equal(owned?.id, id)

  const other = await newWindow()
  await other.goto(`${url}/`)
  await other.getByText('This server asks who you are.').waitFor()
  t.notOk(
    seen.requests.some((asked) => asked.includes(key)),
    'the key is in no address'
  )
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('This server asks who you are.').waitFor()
  t.equal(await page.getByText('It is me').count(), 0)
  t.same(
    await page.evaluate(
      (secret) => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]).includes(secret),
      key
    ),
    false
  )
})

t.test('a key that is taken away in the middle leads to the question for one', { ...BROWSER }, async (t) => {
  const { app, page, url } = await startConsole(t, { script: plainAnswer, settings: { AUTH: 'key' } })
  const one = newApiKey({ sessionId: 'alice', name: null, createdAt: Date.now() })
  const two = newApiKey({ sessionId: 'alice', name: null, createdAt: Date.now() })
  for (const { stored } of [one, two]) await app.store.keys.add(stored)
  const signIn = async (key: string) => {
    await page.getByLabel('API key or token').fill(key)
    await page.keyboard.press('Enter')
    await messageIn(page).waitFor()
  }
  await page.goto(`${url}/`)
  await signIn(one.key)
  await say(page, 'It is me')
  await settled(page, 1)
  await app.store.keys.remove(one.stored.id)
  const headers = { authorization: `Bearer ${one.key}` }
  await eventually(
    () => request(`${url}/v1/conversations`, { headers }),
    ({ status }) => status === 401
  )
  await say(page, 'Still me')
  await page.getByText('The key or token was not accepted.').waitFor()
  await signIn(two.key)
  await answersIn(page).waitFor()
  t.equal(await messageIn(page).inputValue(), 'Still me', 'what was not sent is there again')
})

t.test('a key that the upstream does not take is no matter of the reader', { ...BROWSER }, async (t) => {
  const { page } = await startConsole(t)
  const refuse: UpstreamScript = (res) =>
    sendJson(res, 401, { error: { message: 'Wrong key', type: 'x', code: 'invalid_api_key', param: null } })
  const upstream = await startUpstream(t, refuse)
  const { url: refused } = await startApp(t, { OPENAI_BASE_URL: upstream.url })
  await open(page, refused)
  await page.getByText('The models could not be read').waitFor()
  await say(page, 'Anybody?')
  await page.locator('.toast.error').waitFor()
  t.equal(await page.getByLabel('API key or token').count(), 0)
})

t.test('CONSOLE=false serves nothing of it', { ...BROWSER }, async (t) => {
  const { page, seen, url } = await startConsole(t, { script: plainAnswer })
  await open(page, url)
  await say(page, 'Hi')
  await settled(page, 1)
  await noteIn(page).waitFor({ state: 'detached' })
  await rowsIn(page).waitFor()
  const assets = [...new Set(seen.requests.map((asked) => new URL(asked).pathname))].filter(
    (path) => !path.startsWith('/v1')
  )
  t.ok(assets.length > 40, `${assets.length} assets`)
  const off = await startConsole(t, { script: plainAnswer, settings: { CONSOLE: 'false' } })
  for (const path of assets) {
    t.equal((await request(`${url}${path}`)).status, 200, path)
    const { status, headers } = await request(`${off.url}${path}`)
    t.equal(status, 404, `${path} without the console`)
    t.match(headers.get('content-type'), /^application\/json/)
  }
  t.equal((await request(`${off.url}/v1/conversations`)).status, 200, 'the API is there')
})

t.test('nothing else of the folder is served', { ...BROWSER }, async (t) => {
  const { url } = await startConsole(t)
  const paths = [
    'package.json',
    'server.ts',
    'console/tsconfig.json',
    'console/../package.json',
    'console/%2e%2e/package.json',
    'console/..%2fpackage.json',
    'console/%2e%2e%2fapp.ts',
    'console/..%2fconsole.js',
    'client/package.json',
    'client/index.d.ts',
    'client/generate/write-schema.ts',
    'console/.hidden.js',
    'console/',
    'console',
    'node_modules/marked/package.json',
    'node_modules/fastify/fastify.js',
    'node_modules/htm/preact/../../marked/package.json',
    'data/turnkeeper.db'
  ]
  for (const path of paths) t.equal((await request(`${url}/${path}`)).status, 404, path)
})
