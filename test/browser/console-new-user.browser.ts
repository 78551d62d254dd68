import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import t from 'tap'
import { request } from '../helper/request.ts'
import { BROWSER } from './helper/browser.ts'
import {
  answersIn,
  eventually,
  idIn,
  noteIn,
  open,
  rowsIn,
  say,
  settled,
  startConsole
} from './helper/console.ts'

/** Notes every text that the answer under way has had. */
const watchTexts = (page: Page) =>
  page.evaluate(() => {
    const texts: string[] = []
    Object.assign(globalThis, { texts })
    new MutationObserver(() => {
      const text = document.querySelector('.turn.live .markdown')?.textContent ?? ''
      if (text !== '' && text !== texts.at(-1)) texts.push(text)
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  })

t.test('the words of an answer appear one by one, and are there after a reload', BROWSER, async (t) => {
  const { page, seen, url, turnsOf } = await startConsole(t)
  await open(page, url)
  await page.getByText('No conversations yet').waitFor()
  await watchTexts(page)
  await say(page, 'Which river is the longest?')
  await settled(page, 1)

  const texts: string[] = await page.evaluate(() => Reflect.get(globalThis, 'texts'))
  t.ok(texts.length >= 8, `${texts.length} texts were seen`)
  for (const [index, text] of texts.slice(1).entries())
    t.ok(text.length > (texts[index]?.length ?? 0), `text ${index + 1} is longer than the one before`)
  const id = idIn(page)
  t.match(id, /^conv_[0-9a-f]{32}$/, 'the address is that of the conversation')
  const [turn] = await turnsOf(id)
  t.match(turn, { seq: 1, status: 'completed', user_text: 'Which river is the longest?' })
  const shown = await answersIn(page).innerText()
  t.match(shown, 'You sent 1 message; the last one says: “Which river is the longest?”')
  t.equal(shown.replaceAll(/\s+/g, ' '), turn?.assistant_text?.replaceAll(/\s+/g, ' '))

  await page.reload()
  await answersIn(page).waitFor()
  t.equal(await answersIn(page).innerText(), shown, 'a reload shows the same')
  t.equal(await page.title(), 'Which river is the longest? · Turnkeeper')
  t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
})

t.test('a conversation is found, renamed and pinned', { ...BROWSER }, async (t) => {
  const { page, seen, url } = await startConsole(t)
  await open(page, url)
  await say(page, 'A story about herons')
  await settled(page, 1)
  const heron = idIn(page)
  await page.getByRole('button', { name: 'New chat' }).click()
  await say(page, 'A recipe with lentils')
  await settled(page, 1)
  await eventually(
    () => rowsIn(page).allInnerTexts(),
    (titles) => titles.length === 2
  )
  t.same(await rowsIn(page).allInnerTexts(), ['A recipe with lentils', 'A story about herons'])

  const search = page.getByRole('searchbox')
  await search.fill('herons')
  await page.getByRole('link', { name: 'A recipe with lentils' }).waitFor({ state: 'detached' })
  await rowsIn(page).getByText('herons').click()
  await page.waitForURL(`**/#/c/${heron}`)
  await search.fill('pelican')
  await page.getByText('Nothing found').waitFor()
  await search.fill('…')
  await page.getByText('Nothing found').waitFor()
  await search.fill('')
  await rowsIn(page).nth(1).waitFor()

  await rowsIn(page).getByText('herons').hover()
  await page.getByRole('button', { name: 'Rename A story about herons' }).click()
  await page.getByRole('textbox', { name: 'Title' }).fill('Herons')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Herons' }).waitFor()
  t.match((await request(`${url}/v1/conversations/${heron}`)).json, { title: 'Herons', pinned: false })
  await rowsIn(page).getByText('lentils').hover()
  await page.getByRole('button', { name: 'Rename A recipe with lentils' }).click()
  await page.getByRole('textbox', { name: 'Title' }).fill('Something else')
  await page.keyboard.press('Escape')
  await page.getByRole('textbox', { name: 'Title' }).waitFor({ state: 'detached' })
  t.same(await rowsIn(page).allInnerTexts(), ['A recipe with lentils', 'Herons'], 'Escape changes nothing')

  await rowsIn(page).getByText('Herons').hover()
  await page.getByRole('button', { name: 'Pin Herons', exact: true }).click()
  const pinned = page.getByRole('list', { name: 'Pinned' })
  await pinned.getByRole('link', { name: 'Herons' }).waitFor()
  await page.getByRole('list', { name: 'All' }).getByRole('link', { name: 'A recipe' }).waitFor()
  t.same(await rowsIn(page).allInnerTexts(), ['Herons', 'A recipe with lentils'], 'it is in the list once')
  t.match((await request(`${url}/v1/conversations/${heron}`)).json, { pinned: true })
  await page.reload()
  await pinned.getByRole('link', { name: 'Herons' }).hover()
  await page.getByRole('button', { name: 'Unpin Herons' }).click()
  await pinned.waitFor({ state: 'detached' })
  t.same(await rowsIn(page).allInnerTexts(), ['A recipe with lentils', 'Herons'])
  t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
})

t.test('a conversation is exported and copied', { ...BROWSER }, async (t) => {
  const { page, seen, url, turnsOf } = await startConsole(t)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await open(page, url)
  await say(page, 'What is `x < y`, a/b?')
  await settled(page, 1)
  await page.getByRole('button', { name: 'Regenerate' }).click()
  await page.getByText('2/2').waitFor()
  await settled(page, 1)
  const id = idIn(page)
  const turns = await turnsOf(id)
  t.equal(turns.length, 2)

  const exported = async (name: RegExp) => {
    await page.getByText('Export', { exact: true }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name }).click()
    ])
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') }
  }
  const json = await exported(/^JSON/)
  t.equal(json.name, 'What-is-x-y-a-b.json')
  const conversation = (await request(`${url}/v1/conversations/${id}`)).json
  t.strictSame(JSON.parse(json.text), { conversation, turns }, 'the JSON has all that the API has')

  const markdown = await exported(/^Markdown/)
  t.equal(markdown.name, 'What-is-x-y-a-b.md')
  const [, answer] = turns.map(({ assistant_text }) => assistant_text)
  const expected = `# ${conversation.title}\n\n## User\n\nWhat is \`x < y\`, a/b?\n\n## Assistant\n\n${answer}\n`
  t.equal(markdown.text, expected, 'the Markdown has the turns that count')

  const clipboard = () => page.evaluate(() => navigator.clipboard.readText())
  await page.getByText('Export', { exact: true }).click()
  await page.getByRole('button', { name: 'Copy as Markdown' }).click()
  await page.getByText('Copied', { exact: true }).waitFor()
  t.equal(await clipboard(), expected)
  await page.getByRole('button', { name: 'Copy the answer' }).click()
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  t.equal(await clipboard(), answer)
  await page.getByRole('button', { name: 'Copy the question' }).click()
  await page.getByRole('button', { name: 'Copied' }).nth(1).waitFor()
  t.equal(await clipboard(), 'What is `x < y`, a/b?')
  t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
})

t.test('the address of a conversation that is not there says so', { ...BROWSER }, async (t) => {
  const { page, url } = await startConsole(t)
  await open(page, url, `conv_${'0'.repeat(32)}`)
  await noteIn(page).getByText('There is no such conversation').waitFor()
  await open(page, url, 'nonsense')
  await noteIn(page).getByText('There is no such conversation').waitFor()
  await page.getByRole('button', { name: 'New chat' }).click()
  await say(page, 'Here is one')
  await settled(page, 1)
  t.match(page.url(), /#\/c\/conv_/)
})
