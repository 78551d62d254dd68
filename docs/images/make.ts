// Makes the pictures of the documents: `npm run screenshots`. Needs Chromium (CHROMIUM, or /usr/bin/chromium).
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type BrowserContextOptions, chromium } from 'playwright-core'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { openStore } from '../../storage/open-store.ts'
import { CHAT, EARLIER, fill } from './conversations.ts'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
const WIDE = { width: 1200, height: 760 }
const PHONE = { width: 390, height: 760 }

interface Picture extends Pick<BrowserContextOptions, 'viewport' | 'colorScheme'> {
  file: string
  /** What is shown, after `#`. */
  route?: string
}

const folder = await mkdtemp(path.join(tmpdir(), 'turnkeeper-pictures-'))
const dbUrl = `sqlite:${path.join(folder, 'pictures.db')}`
const store = await openStore(dbUrl, { report: () => {} })
await store.initialize()
await fill(store, EARLIER)
await store.close()

const app = await buildApp(loadConfig({ DB_URL: dbUrl }))
const url = await app.listen({ host: '127.0.0.1', port: 0 })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: FLAGS
})
try {
  const pictures: Picture[] = [
    { file: 'console-light.png', viewport: WIDE, colorScheme: 'light' },
    { file: 'console-dark.png', viewport: WIDE, colorScheme: 'dark' },
    { file: 'console-phone.png', viewport: PHONE, colorScheme: 'light' },
    {
      file: 'console-stats.png',
      viewport: { width: 1200, height: 1240 },
      colorScheme: 'light',
      route: '/stats'
    }
  ]
  // So that the figures of the process show something.
  for (const content of CHAT) await ask(content)
  for (const picture of pictures) await take(picture)
} finally {
  await browser.close()
  await app.close()
  await rm(folder, { recursive: true })
}

async function ask(content: string): Promise<void> {
  const body = JSON.stringify({ stream: true, messages: [{ role: 'user', content }] })
  const headers = { 'content-type': 'application/json' }
  await (await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })).text()
}

async function take({ file, route, viewport, colorScheme }: Picture): Promise<void> {
  const context = await browser.newContext({
    viewport: viewport ?? WIDE,
    colorScheme: colorScheme ?? 'light'
  })
  const page = await context.newPage()
  await page.goto(`${url}/${route ? `#${route}` : ''}`)
  if (route) await page.waitForSelector('.lengths')
  else {
    const shown = EARLIER.at(-1)?.title ?? ''
    const menu = page.getByRole('button', { name: 'Conversations' })
    if (await menu.isVisible()) await menu.click()
    await page.getByRole('link', { name: shown, exact: true }).click()
    await page.waitForSelector('.markdown pre')
    await page.mouse.move(0, 0)
    await page.getByRole('region', { name: 'Messages' }).evaluate((box) => box.scrollTo(0, 0))
  }
  await page.waitForLoadState('networkidle')
  await page.screenshot({ path: path.join(import.meta.dirname, file), animations: 'disabled' })
  await context.close()
}
