import t, { type Test } from 'tap'
import { type Guarded, type Probe, startGuarded, TO_CHAT } from '../../helper/guarded.ts'

const SITE = 'https://chat.example.org'
const FORBIDDEN = { status: 403, code: 'forbidden_origin' }

/** Holds that a request with these headers is refused, or is not, whatever it asks for. */
async function isRefused(t: Test, { send, refuse }: Guarded, headers: string[], refused: boolean) {
  for (const to of [{}, TO_CHAT, { target: '/v1/none' }]) {
    const name = `${headers.join(', ')} ${JSON.stringify(to).slice(0, 40)}`
    const probe: Probe = { name, headers, ...to, ...FORBIDDEN }
    if (refused) await refuse(t, probe)
    else t.not((await send(probe)).status, 403, name)
  }
}

t.test('with AUTH=none a page of another origin reads and changes nothing', async (t) => {
  const guarded = await startGuarded(t, {})
  const { host, port } = new URL(guarded.url)
  const origins = [
    SITE,
    'null',
    '',
    'file://',
    `https://evil.example:${port}`,
    `http://localhost:${port}`,
    'http://127.0.0.1',
    'http://127.0.0.1:1',
    `http://127.0.0.1:${port}1`,
    `http://127.0.0.1:${port}.evil.example`,
    `http://evil.example/${host}`,
    `http://${host}@evil.example`,
    `http://evil@${host}`,
    `http://${host}/`,
    `http://${host}, http://${host}`,
    `file://${host}`,
    `chrome-extension://${host}`,
    `ftp://${host}`
  ]
  const before = await guarded.stored()
  for (const origin of origins) await isRefused(t, guarded, [`host: ${host}`, `origin: ${origin}`], true)
  await isRefused(t, guarded, [`host: ${host}`, `origin: http://${host}`, `origin: ${SITE}`], true)
  for (const site of ['cross-site', 'same-site', 'Same-Origin', 'x', '']) {
    const image = [`host: ${host}`, `sec-fetch-site: ${site}`, 'sec-fetch-mode: no-cors']
    await isRefused(t, guarded, image, true)
  }
  const link = ['sec-fetch-site: cross-site', 'sec-fetch-mode: navigate', 'sec-fetch-dest: document']
  await isRefused(t, guarded, link, true)
  t.equal(await guarded.stored(), before, 'nothing was stored')
  t.equal(guarded.upstream.calls.length, 0, 'nothing went to the upstream')
})

t.test("programs, the address bar and the server's own pages are answered", async (t) => {
  const guarded = await startGuarded(t, {})
  const { host, port } = new URL(guarded.url)
  const own = [
    [],
    [`host: ${host}`, `origin: http://${host}`],
    [`host: ${host}`, `origin: http://${host}`, 'sec-fetch-site: same-origin'],
    [`host: LOCALHOST:${port}`, `origin: http://localhost:${port}`],
    [`host: [::1]:${port}`, `origin: http://[::1]:${port}`],
    [`host: localhost`, 'origin: https://localhost'],
    ['sec-fetch-site: none', 'sec-fetch-mode: navigate'],
    ['sec-fetch-site: same-origin'],
    ['sec-fetch-mode: cors']
  ]
  for (const headers of own) await isRefused(t, guarded, headers, false)
})

t.test('an origin that ALLOWED_ORIGIN names may call, and no other', async (t) => {
  const guarded = await startGuarded(t, { ALLOWED_ORIGIN: `${SITE},http://localhost:5173` })
  for (const origin of [SITE, 'http://localhost:5173']) {
    await isRefused(t, guarded, [`origin: ${origin}`, 'sec-fetch-site: cross-site'], false)
  }
  for (const origin of [`${SITE}:444`, 'http://localhost:5174', 'https://evil.example']) {
    await isRefused(t, guarded, [`origin: ${origin}`], true)
  }
  await isRefused(t, guarded, ['sec-fetch-site: cross-site'], true)
  const preflight = await guarded.send({
    method: 'OPTIONS',
    headers: [`origin: ${SITE}`, 'access-control-request-method: POST', 'sec-fetch-site: cross-site']
  })
  t.equal(preflight.status, 204, 'a preflight is answered before')
})

t.test('the Host decides before the Origin does, so a rebound name gets nowhere', async (t) => {
  const guarded = await startGuarded(t, {})
  for (const host of [
    'evil.example',
    'evil.example:3001',
    'localhost.evil.example',
    '10.0.0.1',
    'x@localhost'
  ]) {
    const headers = [`host: ${host}`, `origin: http://${host}`, 'sec-fetch-site: same-origin']
    await guarded.refuse(t, { name: host, headers, status: 403, code: 'forbidden_host' })
  }
})

t.test('on an address of others, allowed on purpose, any name is answered but not any page', async (t) => {
  const guarded = await startGuarded(t, { HOST: '0.0.0.0', ALLOW_INSECURE_AUTH: 'true' })
  await isRefused(t, guarded, ['host: chat.internal:3001'], false)
  await isRefused(t, guarded, ['host: chat.internal', 'origin: https://chat.internal'], false)
  await isRefused(t, guarded, ['host: chat.internal', 'origin: https://evil.example'], true)
})
