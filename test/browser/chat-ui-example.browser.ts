import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startApp } from '../helper/app.ts'
import { freePort } from '../helper/postgres.ts'
import { request } from '../helper/request.ts'
import { EXAMPLES } from '../helper/run-example.ts'
import { delta, finish, startSse, startUpstream, type UpstreamScript } from '../helper/upstream.ts'
import { BROWSER, startBrowser } from './helper/browser.ts'

/** The page as its own small server gives it, and the service that allows its origin. */
async function start(t: Test, script: UpstreamScript) {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const upstream = await startUpstream(t, script)
  const service = await startApp(t, { ALLOWED_ORIGIN: origin, OPENAI_BASE_URL: upstream.url })
  const file = path.join(EXAMPLES, 'chat-ui/serve.mjs')
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, file, String(port)], {
    env: { PATH: process.env.PATH, TURNKEEPER_URL: `${service.url}/v1` },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => void child.kill())
  const [said] = await once(child.stdout, 'data')
  t.equal(String(said), `Open ${origin}\n`)
  const browser = await startBrowser(t)
  const { page, seen } = await browser.newPage({ viewport: { width: 900, height: 600 } })
  const opened = (await page.goto(`${origin}/`))?.status()
  t.equal(opened, 200)
  const strangers = () => seen.requests.filter((url) => ![origin, service.url].includes(new URL(url).origin))
  return { ...service, origin, upstream, page, seen, strangers }
}

async function say(page: Page, text: string): Promise<void> {
  const input = page.locator('#text-input')
  await input.click()
  await page.keyboard.type(text)
  await page.keyboard.press('Enter')
}

const messagesIn = (page: Page) => page.locator('.message-bubble')
const textsIn = (page: Page) => messagesIn(page).allInnerTexts()
const conversationIn = (page: Page) => new URL(page.url()).hash.slice(1)

t.test(
  'the chat page streams an answer that is kept, and has it again after a reload',
  BROWSER,
  async (t) => {
    const more = Promise.withResolvers<void>()
    const { page, seen, strangers, turnsOf, upstream } = await start(t, async (res) => {
      startSse(res)
      res.write(delta({ role: 'assistant', content: 'It is the ' }))
      await more.promise
      res.end(`${delta({ content: 'Glomma.' })}${finish()}data: [DONE]\n\n`)
    })
    await say(page, 'Which river?')
    await page.getByText('It is the', { exact: true }).waitFor()
    more.resolve()
    await page.getByText('It is the Glomma.', { exact: true }).waitFor()

    await say(page, 'How long is it?')
    await page.getByText('It is the Glomma.', { exact: true }).nth(1).waitFor()
    t.match(JSON.parse(upstream.calls[1]?.body ?? '').messages, [
      { role: 'user', content: 'Which river?' },
      { role: 'assistant', content: 'It is the Glomma.' },
      { role: 'user', content: 'How long is it?' }
    ])
    t.match(await turnsOf(conversationIn(page)), [
      { seq: 1, status: 'completed', user_text: 'Which river?', assistant_text: 'It is the Glomma.' },
      { seq: 2, status: 'completed', user_text: 'How long is it?', assistant_text: 'It is the Glomma.' }
    ])

    const said = ['Which river?', 'It is the Glomma.', 'How long is it?', 'It is the Glomma.']
    t.same(await textsIn(page), said)
    await page.reload()
    await messagesIn(page).nth(3).waitFor()
    t.same(await textsIn(page), said, 'a reload shows the same')

    await page.getByText('New chat').click()
    await page.waitForURL(/\/$/)
    t.equal(await messagesIn(page).count(), 0, 'a new chat is empty')
    t.same(strangers(), [], 'nobody else is asked for anything')
    t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
  }
)

t.test('the chat page shows older turns when it is scrolled up', { ...BROWSER }, async (t) => {
  const { page, seen, url, origin } = await start(t, () => {})
  const { id } = (await request(`${url}/v1/conversations`, { method: 'POST' })).json
  for (const tens of [0, 1, 2]) {
    const items = Array.from({ length: 10 }, (_, ones) => [
      { role: 'user', content: `Question ${tens}${ones}` },
      { role: 'assistant', content: `Answer ${tens}${ones}` }
    ]).flat()
    await request(`${url}/v1/conversations/${id}/items`, { body: { items } })
  }
  await page.goto(`${origin}/#${id}`)
  await page.reload() // from the page before it is only a change of the fragment
  await page.getByText('Answer 29', { exact: true }).waitFor()
  t.equal(await messagesIn(page).count(), 40)
  await page.locator('#messages').evaluate((element) => element.scrollTo(0, 0))
  await page.getByText('Question 00', { exact: true }).waitFor()
  t.same(
    (await textsIn(page)).filter((text) => text.startsWith('Question')),
    Array.from({ length: 30 }, (_, number) => `Question ${String(number).padStart(2, '0')}`)
  )
  t.same(seen.errors, [])
})

t.test('the chat page runs and loads nothing of what a model writes', { ...BROWSER }, async (t) => {
  const evil = [
    '<img src=x onerror=alert(1)> <script>alert(2)</script>',
    '[link](javascript:alert(3)) ![image](http://example.org/secret.png)',
    'The end.'
  ].join('\n\n')
  const { page, seen } = await start(t, (res) => {
    startSse(res)
    res.end(`${delta({ content: evil })}${finish()}data: [DONE]\n\n`)
  })
  for (const again of [false, true]) {
    if (again) await page.reload()
    else await say(page, 'Hi')
    await page.getByText('The end.').waitFor()
    t.equal(await messagesIn(page).locator('script, [onerror]').count(), 0)
    const refused = page.waitForEvent('console', (message) =>
      message.text().startsWith('Running the JavaScript')
    )
    await page.getByText('link', { exact: true }).click()
    await refused
  }
  t.same(seen.dialogs, [])
  const [image, link, ...others] = [...new Set(seen.errors)]
  t.match(image, /^Loading the image .+ violates .+ Content Security Policy/)
  t.match(link, /^Running the JavaScript URL violates .+ Content Security Policy/)
  t.same(others, [])
})

t.test('the chat page says what went wrong', { ...BROWSER }, async (t) => {
  const { page } = await start(t, (res) => {
    startSse(res)
    res.end(delta({ content: 'It is' }))
  })
  await say(page, 'Hi')
  await page.getByText('The upstream broke off its answer.').waitFor()
  await page.goto(`${page.url()}0`)
  await page.reload()
  const error = page.locator('.error-message-text')
  await error.waitFor()
  t.same(await error.allInnerTexts(), ['Failed to load history'], 'a conversation that is not there')
})
