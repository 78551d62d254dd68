import t, { type Test } from 'tap'
import { request } from '../helper/request.ts'
import { BROWSER } from './helper/browser.ts'
import { eventually, noteIn, open, rowsIn, say, settled, startConsole, statusOf } from './helper/console.ts'

const TITLE = 'Remember the herons'
/** Longer than a deletion can be taken back. */
const LATER_MS = 20_000

/** A page that shows the one conversation there is; its clock can be put forward. */
async function withConversation(t: Test) {
  const started = await startConsole(t)
  const { page, url } = started
  const items = [
    { role: 'user', content: TITLE },
    { role: 'assistant', content: 'Herons it is.' }
  ]
  const body = { title: TITLE, items }
  const { id } = (await request(`${url}/v1/conversations`, { body })).json
  await page.clock.install()
  await open(page, url, id)
  await page.getByText('Herons it is.').waitFor()
  const remove = async () => {
    await rowsIn(page).getByText(TITLE).hover()
    await page.getByRole('button', { name: `Delete ${TITLE}` }).click()
    await rowsIn(page).getByText(TITLE).waitFor({ state: 'detached' })
  }
  return { ...started, id: id as string, remove }
}

const goneFrom = (url: string, id: string) =>
  eventually(
    () => statusOf(url, id),
    (status) => status === 404
  )

t.test('what is deleted can be taken back', BROWSER, async (t) => {
  const { page, seen, url, id, remove } = await withConversation(t)
  await remove()
  await page.getByRole('heading', { name: 'New chat' }).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await rowsIn(page).waitFor()
  await page.waitForURL(`**/#/c/${id}`)
  await page.getByText('Herons it is.').waitFor()
  t.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0)
  await page.clock.fastForward(LATER_MS)
  await page.reload()
  await page.getByText('Herons it is.').waitFor()
  t.equal(
    await statusOf(url, id),
    200,
    'it is still there after the time of the undo, and when the page has gone'
  )
  t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
})

t.test('what is deleted is gone once it cannot be taken back', { ...BROWSER }, async (t) => {
  const { page, url, id, remove } = await withConversation(t)
  await remove()
  await page.getByRole('button', { name: 'Undo' }).waitFor()
  t.equal(await statusOf(url, id), 200, 'it waits')
  await page.clock.fastForward(LATER_MS)
  await page.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' })
  t.equal(await goneFrom(url, id), 404)
  await page.goto(`${url}/#/c/${id}`)
  await noteIn(page).getByText('There is no such conversation').waitFor()
  await page.reload()
  await noteIn(page).getByText('There is no such conversation').waitFor()
  await page.getByText('No conversations yet').waitFor()
})

t.test('what is deleted does not come back when the page goes first', { ...BROWSER }, async (t) => {
  for (const leave of ['close', 'reload', 'navigate'] as const) {
    const { page, url, id, remove, newWindow } = await withConversation(t)
    const other = await newWindow()
    await remove()
    if (leave === 'close') await page.close({ runBeforeUnload: true })
    if (leave === 'reload') await page.reload()
    if (leave === 'navigate') await page.goto('about:blank')
    t.equal(await goneFrom(url, id), 404, leave)
    await open(other, url)
    await other.getByText('No conversations yet').waitFor()
  }
})

t.test('what waits to be deleted is nowhere, until it is taken back', { ...BROWSER }, async (t) => {
  const { page, url, id, remove } = await withConversation(t)
  await page.getByRole('button', { name: 'New chat' }).click()
  await say(page, 'Another about herons')
  await settled(page, 1)
  await rowsIn(page).nth(1).waitFor()
  await remove()
  t.equal(await rowsIn(page).count(), 1)
  const found = page.waitForResponse((response) => response.url().includes('q=herons'))
  await page.getByRole('searchbox').fill('herons')
  await page.clock.runFor(1_000)
  await found
  await rowsIn(page).getByText('Another').waitFor()
  t.same(await rowsIn(page).allInnerTexts(), ['Another about herons'], 'a search does not find it')
  await page.goto(`${url}/#/c/${id}`)
  await noteIn(page).getByText('There is no such conversation').waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Herons it is.').waitFor()
  await page.getByRole('searchbox').fill('')
  await page.clock.runFor(1_000)
  await rowsIn(page).nth(1).waitFor()
  t.same(await rowsIn(page).allInnerTexts(), ['Another about herons', TITLE])
})
