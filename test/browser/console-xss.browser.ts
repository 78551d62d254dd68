import path from 'node:path'
import t from 'tap'
import { tempFolder } from '../helper/app.ts'
import { addConversation, withStore } from '../helper/transfer.ts'
import { BROWSER } from './helper/browser.ts'
import { idIn, liveIn, open, rowsIn, say, settled, startConsole, turnsIn } from './helper/console.ts'
import { steered } from './helper/steered.ts'
import { misdeedsIn, trespassersIn } from './helper/trespass.ts'
import { PAYLOADS } from './helper/xss-payloads.ts'

/** How many payloads a conversation has. */
const TOGETHER = 12

t.test('there are more than 200 different payloads', (t) => {
  t.ok(PAYLOADS.length > 200, `${PAYLOADS.length} payloads`)
  t.end()
})

t.test('nothing that is stored runs or loads anything', BROWSER, async (t) => {
  const url = `sqlite:${path.join(tempFolder(t), 'test.db')}`
  const ids: string[] = []
  await withStore(url, async (store) => {
    for (let first = 0; first < PAYLOADS.length; first += TOGETHER) {
      const some = PAYLOADS.slice(first, first + TOGETHER)
      const { id } = await addConversation(
        store,
        some.length,
        ({ seq }) => {
          const text = some[seq - 1] ?? ''
          const call = { id: text, type: 'function', function: { name: text, arguments: text } }
          const message = {
            role: 'assistant',
            content: text,
            reasoning_content: text,
            refusal: text,
            tool_calls: [call]
          }
          const input = [
            { role: 'system', content: text },
            { role: text, content: text },
            { role: 'tool', tool_call_id: text, content: JSON.stringify({ [text]: text }) },
            {
              role: 'user',
              content: [
                { type: 'text', text },
                { type: 'image_url', image_url: { url: text } },
                { type: 'file', file: { filename: text } }
              ]
            }
          ]
          const answer = seq % 2 === 0 ? { choices: [{ index: 0, message, finish_reason: 'stop' }] } : {}
          return {
            model: text,
            userText: text,
            assistantText: text,
            metadata: { payload: text.slice(0, 500) },
            detail: { input, ...answer }
          }
        },
        {
          sessionId: 'local',
          title: some[0] ?? null,
          model: some[0] ?? null,
          metadata: { payload: some[1]?.slice(0, 500) ?? '' }
        }
      )
      ids.push(id)
    }
    for (const title of PAYLOADS) await addConversation(store, 0, undefined, { sessionId: 'local', title })
  })
  const { page, seen, url: service } = await startConsole(t, { settings: { DB_URL: url } })
  await open(page, service)
  for (const id of ids) {
    await page.goto(`${service}/#/c/${id}`)
    await turnsIn(page).nth(0).waitFor()
    await page.locator('details:not([open])').evaluateAll((all) => {
      for (const one of all) (one as HTMLDetailsElement).open = true
    })
    t.strictSame(await trespassersIn(page), [], id)
  }
  const shown = await page.locator('.turn .markdown').count()
  t.ok(shown > 0, 'the answers are shown')
  await page.locator('.list').hover()
  while ((await rowsIn(page).count()) < PAYLOADS.length) await page.mouse.wheel(0, 3_000)
  t.strictSame(await trespassersIn(page), [], 'the whole list')
  for (const word of ['alert', 'script', 'onerror', 'img', 'javascript']) {
    await page.getByRole('searchbox').fill(word)
    await page.waitForResponse((response) => response.url().includes(`q=${word}`))
    t.strictSame(await trespassersIn(page), [], `what is found with ${word}`)
  }
  await page.getByRole('link', { name: 'Stats' }).click()
  await page.getByRole('heading', { name: 'Turns per day' }).waitFor()
  t.strictSame(await trespassersIn(page), [], 'Stats')
  t.strictSame(misdeedsIn(seen, service), [])
})

t.test('nothing runs or loads anything while it streams, nor at its end', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, seen, url } = await startConsole(t, { script, models: PAYLOADS.slice(0, 20) })
  await open(page, url)
  await page.getByRole('combobox', { name: 'Model' }).waitFor()
  let count = 0
  for (const [index, text] of PAYLOADS.entries()) {
    await say(page, text)
    const answer = await next()
    const half = Math.floor(text.length / 2)
    answer.write({ role: 'assistant', reasoning_content: text })
    answer.write(`${text.slice(0, half)}`)
    await liveIn(page).waitFor({ state: 'attached' })
    const midway = await trespassersIn(page)
    answer.write(text.slice(half))
    answer.write({ tool_calls: [{ index: 0, id: text, function: { name: text, arguments: text } }] })
    answer.write({ refusal: text })
    answer.write(`\n\nThe end of ${index}`)
    await liveIn(page).getByText(`The end of ${index}`).waitFor({ state: 'attached' })
    const whole = await trespassersIn(page)
    answer.end()
    count += 1
    await settled(page, count)
    if (midway.length + whole.length > 0) t.strictSame([midway, whole], [[], []], text)
    if (count < 10) continue
    t.strictSame(await trespassersIn(page), [], `up to ${index}`)
    await page.getByRole('button', { name: 'New chat' }).click()
    await turnsIn(page).nth(0).waitFor({ state: 'detached' })
    count = 0
  }
  t.ok(idIn(page))
  t.strictSame(misdeedsIn(seen, url), [])
})
