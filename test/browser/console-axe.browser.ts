import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { request } from '../helper/request.ts'
import { BROWSER } from './helper/browser.ts'
import { answersIn, liveIn, open, rowsIn, say, settled, startConsole, turnsIn } from './helper/console.ts'
import { steered } from './helper/steered.ts'

const SCHEMES = ['light', 'dark'] as const

/** What axe calls serious or critical, in both colour schemes. */
async function isAccessible(t: Test, page: Page, place: string): Promise<void> {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
    const found = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => ({ id, html, failureSummary })))
    t.strictSame(found, [], `${place}, ${colorScheme}`)
    const minor = violations.map(({ id, impact }) => `${id} (${impact})`)
    if (minor.length > 0) t.comment(`${place}, ${colorScheme}: ${minor}`)
  }
}

/** A conversation with everything in it that an answer can have. */
async function seed(url: string): Promise<string> {
  const markdown = [
    '# One\n\n## Two\n\nText with [a link](https://example.test) and `code`.',
    '| a | b |\n|---|---|\n| 1 | 2 |',
    '```js\nconst long = 1\n```',
    '1. one\n2. two\n   - three\n\n> quoted\n\n- [x] done'
  ].join('\n\n')
  const items = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Show me all' },
    {
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'I think' }]
    },
    { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{"where":"there"}' },
    { type: 'function_call_output', call_id: 'c1', output: '{"found":1}' },
    { role: 'assistant', content: markdown }
  ]
  const { json } = await request(`${url}/v1/conversations`, { body: { title: 'All there is', items } })
  return json.id
}

t.test('no place of the page keeps anybody out', BROWSER, async (t) => {
  const { script, next } = steered()
  const { page, url } = await startConsole(t, { script })
  const id = await seed(url)
  await open(page, url)
  await rowsIn(page).waitFor()
  await page.getByRole('combobox', { name: 'Model' }).waitFor()
  await isAccessible(t, page, 'a new chat')

  await page.goto(`${url}/#/c/${id}`)
  await turnsIn(page).getByRole('table').waitFor()
  await page.locator('details.aside').evaluateAll((all) => {
    for (const one of all) (one as HTMLDetailsElement).open = true
  })
  await isAccessible(t, page, 'a conversation')

  await say(page, 'And now?')
  const answer = await next()
  await page.getByText('Waiting for').waitFor()
  await isAccessible(t, page, 'waiting')
  answer.write({ reasoning_content: 'I think' })
  answer.write('Here **it** comes')
  await liveIn(page).waitFor()
  await isAccessible(t, page, 'streaming')
  answer.cut()
  await page.getByText('The answer broke off').waitFor()
  await isAccessible(t, page, 'a turn that did not complete')

  await turnsIn(page).last().getByRole('button', { name: 'Regenerate' }).click()
  const again = await next()
  again.write('Well')
  again.end()
  await turnsIn(page).getByText('Well').waitFor()
  await turnsIn(page).getByRole('button', { name: 'Edit the question' }).last().click()
  await isAccessible(t, page, 'a question that is edited')
  await page.keyboard.press('Escape')

  await page.getByText('Export', { exact: true }).click()
  await isAccessible(t, page, 'the export menu')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Keyboard' }).click()
  await page.getByRole('dialog').waitFor()
  await isAccessible(t, page, 'the keyboard dialog')
  await page.keyboard.press('Escape')

  await rowsIn(page).last().hover()
  await page
    .getByRole('button', { name: /^Rename/ })
    .last()
    .click()
  await isAccessible(t, page, 'a row that is renamed')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /^Pin/ }).last().click()
  await page.getByRole('list', { name: 'Pinned' }).waitFor()
  await rowsIn(page).first().hover()
  await page.getByRole('button', { name: 'Delete All there is' }).click()
  await page.getByRole('button', { name: 'Undo' }).waitFor()
  await isAccessible(t, page, 'pinned, and a deletion that can be taken back')
  await page.getByRole('button', { name: 'Undo' }).click()

  await page.getByRole('searchbox').fill('nothingatall')
  await page.getByText('Nothing found').waitFor()
  await isAccessible(t, page, 'nothing found')
  await page.getByRole('link', { name: 'Stats' }).click()
  await page.getByRole('heading', { name: 'Turns per day' }).waitFor()
  await page.getByText('As a table').first().click()
  await isAccessible(t, page, 'Stats')
  await page.goto(`${url}/#/c/conv_none`)
  await page.getByText('There is no such conversation').waitFor()
  await isAccessible(t, page, 'a conversation that is not there')
})

t.test('nor on a phone', { ...BROWSER }, async (t) => {
  const { page, url } = await startConsole(t, {
    page: { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true }
  })
  const id = await seed(url)
  await open(page, url, id)
  await answersIn(page).waitFor()
  await isAccessible(t, page, 'a phone')
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  t.ok(width <= 390, `nothing is wider than the phone: ${width}`)
  await page.getByRole('button', { name: 'Conversations' }).tap()
  await rowsIn(page).waitFor()
  await isAccessible(t, page, 'a phone with the list open')
  await page.getByRole('button', { name: 'Close the list' }).tap()
  await rowsIn(page).waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Conversations' }).tap()
  await rowsIn(page).tap()
  await rowsIn(page).waitFor({ state: 'hidden' })
  await say(page, 'From a phone')
  await settled(page, 2)
})

t.test('nor where a key is asked for', { ...BROWSER }, async (t) => {
  const { page, url } = await startConsole(t, { settings: { AUTH: 'key' } })
  await page.goto(`${url}/`)
  await page.getByLabel('API key or token').waitFor()
  await isAccessible(t, page, 'sign-in')
})
