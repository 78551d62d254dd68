import { once } from 'node:events'
import http from 'node:http'
import t from 'tap'
import { request } from '../helper/request.ts'
import { BROWSER } from './helper/browser.ts'
import { answersIn, idIn, open, rowsIn, say, settled, startConsole } from './helper/console.ts'
import { startPrefixProxy } from './helper/prefix-proxy.ts'
import { misdeedsIn } from './helper/trespass.ts'

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types dompurify'
].join(';')

/** Asked as a browser asks that has it; `fetch` would say that it wants it anew. */
async function statusAgain(url: string, etag: string | null): Promise<number | undefined> {
  const asked = http.get(url, { headers: { 'if-none-match': etag ?? '' } })
  const [answer] = (await once(asked, 'response')) as [http.IncomingMessage]
  answer.resume()
  return answer.statusCode
}

t.test(
  'the page has the strict policy, and nothing in it that the policy would refuse',
  BROWSER,
  async (t) => {
    const { url } = await startConsole(t)
    const { headers, text } = await request(`${url}/`)
    t.equal(headers.get('content-security-policy'), POLICY)
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('x-frame-options'), 'DENY')
    t.equal(headers.get('referrer-policy'), 'no-referrer')
    t.notMatch(text, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i)
    for (const [, address = ''] of text.matchAll(/(?:href|src)="([^"]*)"/g)) {
      t.match(address, /^\.\//, 'relative, so that a prefix may stand before it')
      const asset = await request(`${url}/${address}`)
      t.equal(asset.status, 200, address)
      t.equal(asset.headers.get('cache-control'), 'no-cache', address)
      t.equal(
        await statusAgain(`${url}/${address}`, asset.headers.get('etag')),
        304,
        `${address} is not sent twice`
      )
    }
  }
)

t.test('everything that the page does stays with this server', { ...BROWSER }, async (t) => {
  const { page, seen, url } = await startConsole(t)
  await open(page, url)
  await say(page, '/markdown')
  await settled(page, 1)
  await answersIn(page).getByRole('table').waitFor()
  await page.getByRole('searchbox').fill('markdown')
  await page.waitForResponse((response) => response.url().includes('q=markdown'))
  await page.getByRole('link', { name: 'Stats' }).click()
  await page.getByText('1 in the last 30 days').waitFor()
  await page.getByText('95 % within').waitFor()
  await page.getByText('2: one for the question, one for the whole answer').waitFor()
  await page.getByRole('button', { name: /^Theme/ }).click()
  t.ok(seen.requests.length > 50, `${seen.requests.length} requests`)
  t.strictSame(misdeedsIn(seen, url), [])
  const { cookies, styled } = await page.evaluate(() => ({
    cookies: document.cookie,
    styled: document.querySelectorAll('[style], style').length
  }))
  t.same({ cookies, styled }, { cookies: '', styled: 0 })
})

t.test('behind a prefix all of it works', { ...BROWSER }, async (t) => {
  const { page, seen, url, turnsOf } = await startConsole(t)
  const origin = await startPrefixProxy(t, '/turnkeeper/', url)
  await open(page, `${origin}/turnkeeper`)
  await say(page, 'Through a prefix')
  await settled(page, 1)
  const id = idIn(page)
  t.match(await turnsOf(id), [{ status: 'completed' }])
  await page.reload()
  await answersIn(page).waitFor()
  await rowsIn(page).getByText('Through a prefix').waitFor()
  await page.getByRole('link', { name: 'Stats' }).click()
  await page.getByText('1 in the last 30 days').waitFor()
  await page.getByText('95 % within').waitFor()
  await page.getByRole('link', { name: 'Turnkeeper' }).click()
  await page.getByRole('heading', { name: 'New chat' }).waitFor()
  t.ok(
    seen.requests.every((asked) => asked.startsWith(`${origin}/turnkeeper/`)),
    'nothing is asked outside of it'
  )
  t.strictSame(misdeedsIn(seen, origin), [])
})
