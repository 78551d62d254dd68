import type { Page } from 'playwright-core'
import t from 'tap'
import { request } from '../helper/request.ts'
import { BROWSER } from './helper/browser.ts'
import {
  answersIn,
  eventually,
  idIn,
  liveIn,
  messageIn,
  noteIn,
  open,
  rowsIn,
  settled,
  startConsole,
  statusOf,
  turnsIn
} from './helper/console.ts'
import { steered } from './helper/steered.ts'

/** What has the focus: its label, or its text. */
const focusIn = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { activeElement: element } = document
    if (!element || element === document.body) return 'nothing'
    return element.getAttribute('aria-label') ?? element.id ?? element.textContent?.trim() ?? ''
  })

/** Presses Tab until the focus is on what is wanted; fails when it comes round without it. */
async function tabTo(page: Page, label: string | RegExp, key = 'Tab'): Promise<void> {
  const seen: string[] = []
  for (let presses = 0; presses < 80; presses++) {
    const at = await page.evaluate(() => {
      const { activeElement: element } = document
      return element?.getAttribute('aria-label') || element?.textContent?.trim() || element?.id || ''
    })
    if (typeof label === 'string' ? at === label : label.test(at)) return
    seen.push(at)
    await page.keyboard.press(key)
  }
  throw new Error(`${label} is not reached: ${seen.join(' | ')}`)
}

/** Waits until the focus is there, and says where it is. */
const focused = (page: Page, label: string) =>
  eventually(
    () => focusIn(page),
    (at) => at === label,
    5_000
  )

t.test('the list is used without a mouse', BROWSER, async (t) => {
  const { page, url } = await startConsole(t)
  for (const title of ['Three', 'Two', 'One']) {
    const items = [{ role: 'user', content: `Question of ${title}` }]
    await request(`${url}/v1/conversations`, { body: { title, items } })
  }
  await open(page, url)
  await rowsIn(page).nth(2).waitFor()
  t.equal(await focused(page, 'Message'), 'Message', 'a new chat begins in the composer')

  await page.keyboard.press('Control+k')
  t.equal(await focused(page, 'Search conversations'), 'Search conversations')
  await page.keyboard.press('ArrowDown')
  const row = () => page.evaluate(() => document.activeElement?.textContent?.trim())
  t.equal(await row(), 'One')
  await page.keyboard.press('ArrowDown')
  t.equal(await row(), 'Two')
  await page.keyboard.press('End')
  t.equal(await row(), 'Three')
  await page.keyboard.press('Home')
  await page.keyboard.press('ArrowUp')
  t.equal(await focusIn(page), 'Search conversations')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await turnsIn(page).getByText('Question of Two').waitFor()
  t.not(await focusIn(page), 'nothing')

  await page.keyboard.press('Control+k')
  await focused(page, 'Search conversations')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('F2')
  t.equal(await focused(page, 'Title'), 'Title')
  await page.keyboard.type('Renamed')
  await page.keyboard.press('Enter')
  await rowsIn(page).getByText('Renamed').waitFor()
  t.equal(await eventually(row, (at) => at === 'Renamed'), 'Renamed', 'the focus is on the row again')
  await page.keyboard.press('F2')
  await page.keyboard.type('Not this')
  await page.keyboard.press('Escape')
  t.equal(await eventually(row, (at) => at === 'Renamed'), 'Renamed')

  await tabTo(page, 'Pin Renamed')
  await page.keyboard.press('Enter')
  await page.getByRole('list', { name: 'Pinned' }).waitFor()
  t.not(await focusIn(page), 'nothing', 'after pinning')

  await page.keyboard.press('Control+k')
  await focused(page, 'Search conversations')
  await page.keyboard.press('ArrowDown')
  t.equal(await row(), 'Renamed')
  const id = idIn(page)
  await page.keyboard.press('Delete')
  await rowsIn(page).getByText('Renamed').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Undo' }).waitFor()
  t.not(
    await eventually(
      () => focusIn(page),
      (at) => at !== 'nothing'
    ),
    'nothing',
    'after deleting'
  )
  await tabTo(page, 'Undo')
  await page.keyboard.press('Enter')
  await rowsIn(page).getByText('Renamed').waitFor()
  await page.getByRole('heading', { name: 'Renamed' }).waitFor()
  t.not(
    await eventually(
      () => focusIn(page),
      (at) => at !== 'nothing',
      2_000
    ),
    'nothing',
    'after taking it back'
  )
  t.equal(await statusOf(url, id), 200)
})

t.test('a chat is held without a mouse', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, url } = await startConsole(t, { script })
  await open(page, url)
  await page.getByRole('combobox', { name: 'Model' }).waitFor()
  t.equal(await focused(page, 'Message'), 'Message')
  await page.keyboard.type('One')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('two')
  await page.keyboard.press('Enter')
  const answer = await next()
  t.match(JSON.parse(answer.call.body).messages, [{ content: 'One\ntwo' }])
  answer.write('It comes')
  await liveIn(page).getByText('It comes').waitFor()
  t.equal(await focusIn(page), 'Message')
  await page.keyboard.press('Escape')
  await answer.call.cancelled
  await settled(page, 1)
  t.equal(await focusIn(page), 'Message')

  // Asked again
  await tabTo(page, 'Regenerate', 'Shift+Tab')
  await page.keyboard.press('Enter')
  const second = await next()
  second.write('Another')
  await liveIn(page).getByText('Another').waitFor()
  t.not(await focusIn(page), 'nothing', 'while it is asked again')
  second.end()
  await answersIn(page).getByText('Another').waitFor()
  t.not(await focusIn(page), 'nothing', 'after it was asked again')

  // Edited
  await messageIn(page).focus()
  await tabTo(page, 'Edit the question', 'Shift+Tab')
  await page.keyboard.press('Enter')
  t.equal(await focused(page, 'The question'), 'The question')
  await page.keyboard.press('Escape')
  t.not(
    await eventually(
      () => focusIn(page),
      (at) => at !== 'nothing',
      2_000
    ),
    'nothing',
    'after an edit was given up'
  )
  await messageIn(page).focus()
  await tabTo(page, 'Edit the question', 'Shift+Tab')
  await page.keyboard.press('Enter')
  await focused(page, 'The question')
  await page.keyboard.type(' three')
  await page.keyboard.press('Enter')
  const third = await next()
  third.write('A third')
  await liveIn(page).getByText('A third').waitFor()
  t.not(await focusIn(page), 'nothing', 'while the edited question is answered')
  third.end()
  await answersIn(page).getByText('A third').waitFor()
  t.not(await focusIn(page), 'nothing', 'after the edited question was answered')

  // Versions
  await messageIn(page).focus()
  await tabTo(page, 'Older version', 'Shift+Tab')
  await page.keyboard.press('Enter')
  await answersIn(page).getByText('Another').waitFor()
  t.not(
    await eventually(
      () => focusIn(page),
      (at) => at !== 'nothing',
      2_000
    ),
    'nothing',
    'when an older version is shown'
  )
  await tabTo(page, 'Show the current one')
  await page.keyboard.press('Enter')
  await answersIn(page).getByText('A third').waitFor()
  t.not(
    await eventually(
      () => focusIn(page),
      (at) => at !== 'nothing',
      2_000
    ),
    'nothing',
    'when the current one is shown'
  )

  await page.keyboard.press('Alt+n')
  t.equal(await focused(page, 'Message'), 'Message')
  t.equal(idIn(page), '')
})

t.test('what opens closes with Escape, and gives the focus back', { ...BROWSER }, async (t) => {
  const { page, url } = await startConsole(t)
  const items = [{ role: 'user', content: 'Hi' }]
  const { id } = (await request(`${url}/v1/conversations`, { body: { title: 'One', items } })).json
  await open(page, url, id)
  await turnsIn(page).waitFor()
  await page.keyboard.press('Control+/')
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  t.equal(await focusIn(page), 'Close')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  t.equal(await focused(page, 'Message'), 'Message', 'where it was')
  await tabTo(page, 'Keyboard')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  t.equal(await focused(page, 'Keyboard'), 'Keyboard', 'on the button that opened it')

  await tabTo(page, 'Export')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: /^JSON/ }).waitFor()
  await page.keyboard.press('Tab')
  const at = () => page.evaluate(() => document.activeElement?.textContent?.trim())
  t.match(await at(), /^JSON/)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /^JSON/ }).waitFor({ state: 'hidden' })
  t.equal(await at(), 'Export')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
  t.equal(download.suggestedFilename(), 'One.json')
  t.equal(await at(), 'Export')

  await page.reload()
  await turnsIn(page).waitFor()
  await tabTo(page, 'Skip to the conversation', 'Shift+Tab')
  const first = await page.evaluate(() => document.querySelector('a, button, input')?.textContent)
  t.equal(first, 'Skip to the conversation', 'the first stop skips the list')
  await page.keyboard.press('Enter')
  t.equal(await page.evaluate(() => document.activeElement?.id), 'content')
  t.equal(idIn(page), id, 'and the address stays')
  t.equal(await noteIn(page).count(), 0)
})
