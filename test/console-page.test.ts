import { globSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { startApp } from './helper/app.ts'
import { readSource } from './helper/doc-tables.ts'
import { isErrorReply, request } from './helper/request.ts'

const ROOT = path.join(import.meta.dirname, '..')
const UPSTREAM = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }
const IMPORT = /^(?:import|export)[^'"]*from '([^']+)'/gm
const LINK = /(?:src|href)="([^"]+)"/g

/** What a file of the page names, as addresses. */
function named(text: string, url: string): string[] {
  const pattern = text.startsWith('<!doctype') ? LINK : IMPORT
  return [...text.matchAll(pattern)].map(([, name]) => new URL(name ?? '', url).href)
}

t.test('the console comes whole from this server, and its policy lets it load nothing else', async (t) => {
  const { url } = await startApp(t, UPSTREAM)
  const page = await request(`${url}/`)
  t.equal(page.status, 200)
  t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
  const policy = page.headers.get('content-security-policy') ?? ''
  t.same(policy.split(';').sort(), [
    "base-uri 'none'",
    "connect-src 'self'",
    "default-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "img-src 'self' data:",
    "require-trusted-types-for 'script'",
    "script-src 'self'",
    "style-src 'self'",
    'trusted-types dompurify'
  ])
  t.notMatch(page.text, /<script>|<style|style=|\son\w+=|https?:\/\//, 'nothing that the policy would stop')

  const [, ...preloaded] = page.text.split('<link rel="modulepreload" ').map((part) => `<!doctype ${part}`)
  const seen = new Set(named(page.text.replaceAll(/<link rel="modulepreload".*/g, ''), `${url}/`))
  for (const address of seen) {
    t.ok(address.startsWith(url), `${address} is here`)
    const part = await request(address)
    t.equal(part.status, 200, address)
    t.match(
      part.headers.get('content-type'),
      /^(text\/css|(application|text)\/javascript|image\/svg\+xml)/,
      address
    )
    t.equal(part.headers.get('x-content-type-options'), 'nosniff', address)
    t.equal(part.headers.get('cache-control'), 'no-cache', address)
    if (!address.includes('/node_modules/')) for (const next of named(part.text, address)) seen.add(next)
  }
  const served = [...seen].map((address) => new URL(address).pathname.slice(1))
  t.same(
    preloaded.flatMap((link) => named(link, `${url}/`)).sort(),
    [...seen].filter((address) => /\.m?js$/.test(address)).sort(),
    'all modules are named at once, so that a browser need not find them one by one'
  )
  const ours = globSync(['console/**/*.{js,css,svg}', 'client/*.js'], { cwd: ROOT })
  t.same(
    ours.filter((file) => !served.includes(file)),
    [],
    'no file lies there that the page does not use'
  )
})

t.test('an unchanged part is not sent again', async (t) => {
  const { url } = await startApp(t, UPSTREAM)
  const first = await request(`${url}/console/main.js`)
  const etag = first.headers.get('etag') ?? ''
  t.not(etag, '')
  // As a browser asks; `fetch` here would say `no-cache` of its own accord.
  const headers = { 'if-none-match': etag, 'cache-control': 'max-age=0' }
  const again = await request(`${url}/console/main.js`, { headers })
  t.equal(again.status, 304)
})

t.test('the console asks for no credential, and holds no data', async (t) => {
  const jwt = { JWT_JWKS_URL: 'https://issuer.example/keys', JWT_ISSUER: 'i', JWT_AUDIENCE: 'a' }
  for (const settings of [{ AUTH: 'header' }, { AUTH: 'key' }, { AUTH: 'jwt', ...jwt }]) {
    const { url } = await startApp(t, { ...UPSTREAM, ...settings })
    t.equal((await request(`${url}/`)).status, 200, settings.AUTH)
    t.equal((await request(`${url}/console/main.js`)).status, 200, settings.AUTH)
    t.equal((await request(`${url}/v1/conversations`)).status, 401, `${settings.AUTH}: the API itself does`)
  }
})

t.test('of the folders of the page only what it uses is there, and nothing beside them', async (t) => {
  const { url } = await startApp(t, UPSTREAM)
  const paths = [
    'console/',
    'console/none.js',
    'console/tsconfig.json',
    'console/index.html',
    'client/package.json',
    'client/index.d.ts',
    'client/..%2fserver.ts',
    'client/%2e%2e/package.json',
    'console/..%5cpackage.json',
    'console/state/..%2f..%2f..%2fplugins/console.js',
    'node_modules/fastify/fastify.js',
    'node_modules/marked/package.json',
    'package.json',
    '.env'
  ]
  for (const path of paths) {
    const reply = await request(`${url}/${path}`)
    isErrorReply(t, reply, 404, { code: 'not_found' }, path)
    t.match(reply.headers.get('content-security-policy'), "default-src 'none'", path)
  }
})

t.test('CONSOLE=false leaves nothing of it', async (t) => {
  const { url } = await startApp(t, { ...UPSTREAM, CONSOLE: 'false' })
  const parts = named(readSource('console/index.html'), `${url}/`)
  t.ok(parts.length > 5)
  for (const address of [`${url}/`, ...parts, `${url}/client/index.js`])
    isErrorReply(t, await request(address), 404, { code: 'not_found' }, address)
})

t.test('the image has what the page needs', async (t) => {
  const ignored = readSource('.dockerignore').split('\n')
  t.notOk(ignored.includes('console') || ignored.includes('client'))
  const { dependencies } = JSON.parse(readSource('package.json')) as { dependencies: Record<string, string> }
  for (const name of ['htm', 'marked', 'dompurify', '@fastify/static']) t.ok(dependencies[name], name)
})
