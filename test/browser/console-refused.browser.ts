import path from 'node:path'
import t from 'tap'
import { tempFolder } from '../helper/app.ts'
import { registerFailing } from '../helper/failing-driver.ts'
import { request } from '../helper/request.ts'
import { plainAnswer } from '../helper/upstream.ts'
import { BROWSER } from './helper/browser.ts'
import {
  answersIn,
  chatsAt,
  idIn,
  messageIn,
  open,
  rowsIn,
  say,
  settled,
  startConsole,
  turnsIn
} from './helper/console.ts'
import { steered } from './helper/steered.ts'

const troubles: Parameters<typeof registerFailing>[0] = {}
registerFailing(troubles)

t.test('when nothing could be stored the text is in the composer again', BROWSER, async (t) => {
  const { page, url, upstream } = await startConsole(t, {
    script: plainAnswer,
    settings: { DB_URL: `failing:${path.join(tempFolder(t), 'test.db')}` }
  })
  await open(page, url)
  for (const turns of [0, 1]) {
    troubles.beginTurn = () => 'fails'
    await say(page, 'A long question')
    await page.locator('.toast.error').waitFor()
    t.equal(await messageIn(page).inputValue(), 'A long question')
    t.equal(await page.locator('.turn').count(), turns, 'nothing is shown of it')
    t.equal(chatsAt(upstream).length, turns, 'the upstream was not asked')
    if (turns === 0) await page.reload()
    t.equal(await messageIn(page).inputValue(), 'A long question', 'a reload does not lose it')
    troubles.beginTurn = () => null
    await messageIn(page).press('Enter')
    await settled(page, turns + 1)
    t.equal(await messageIn(page).inputValue(), '')
  }
  t.same(await answersIn(page).allInnerTexts(), ['Hello world', 'Hello world'])
})

t.test('what is stopped before the upstream answered is not lost', { ...BROWSER }, async (t) => {
  const asked = Promise.withResolvers<void>()
  const { page, url, upstream, turnsOf } = await startConsole(t, { script: () => asked.resolve() })
  await open(page, url)
  await say(page, 'A long question')
  await asked.promise
  await page.getByText('Waiting for model-a').waitFor()
  await page.getByRole('button', { name: 'Stop' }).click()
  await upstream.calls.at(-1)?.cancelled
  await page.locator('.turn.live').waitFor({ state: 'detached' })
  await rowsIn(page).getByText('A long question').waitFor()
  t.equal(await messageIn(page).inputValue(), 'A long question')

  await rowsIn(page).getByText('A long question').click()
  await page.getByText('Stopped.').waitFor()
  const again = Promise.withResolvers<void>()
  upstream.script = () => again.resolve()
  await say(page, 'Another question')
  await again.promise
  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByText('Stopped.').nth(1).waitFor()
  t.same(await turnsIn(page).locator('.bubble').allInnerTexts(), ['A long question', 'Another question'])
  const stopped = { status: 'incomplete', error: 'client_disconnect' }
  t.match(await turnsOf(idIn(page)), [stopped, stopped])
})

t.test('what is typed while an answer is awaited stays', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const hold = Promise.withResolvers<void>()
  const { page, url } = await startConsole(t, {
    script: async (res, call, req) => {
      await hold.promise
      await script(res, call, req)
    }
  })
  await open(page, url)
  await say(page, 'First')
  await page.keyboard.insertText('And then')
  hold.resolve()
  const answer = await next()
  answer.write('Well')
  await page.waitForURL(/#\/c\/conv_/)
  t.equal(await messageIn(page).inputValue(), 'And then')
  t.ok(await messageIn(page).evaluate((field) => field === document.activeElement), 'and has the focus')
  answer.end()
  await settled(page, 1)
  await page.reload()
  await answersIn(page).waitFor()
  t.equal(await messageIn(page).inputValue(), 'And then')
  await page.getByRole('button', { name: 'New chat' }).click()
  t.equal(await messageIn(page).inputValue(), '', 'it belongs to its conversation')
})

t.test('without transcripts the answer is shown all the same', { ...BROWSER }, async (t) => {
  const { page, seen, url, upstream } = await startConsole(t, {
    script: plainAnswer,
    settings: { PERSIST_TRANSCRIPTS: 'false' }
  })
  await open(page, url)
  await say(page, 'Who reads this?')
  await page.getByText('Hello world').waitFor()
  await page.locator('.turn.live').waitFor({ state: 'detached' })
  await page.getByText('Hello world').waitFor()
  await say(page, 'Nobody?')
  await page.getByText('Hello world').nth(1).waitFor()
  t.match(chatsAt(upstream).at(-1), {
    messages: [{ content: 'Who reads this?' }, { content: 'Hello world' }, { content: 'Nobody?' }]
  })
  t.same((await request(`${url}/v1/conversations`)).json.data, [])
  t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
})

t.test('a service that cannot be reached says so, and the text stays', { ...BROWSER }, async (t) => {
  const { page, url } = await startConsole(t, { script: plainAnswer })
  await open(page, url)
  await page.getByText('No conversations yet').waitFor()
  await page.context().setOffline(true)
  await say(page, 'Anybody there?')
  await page.locator('.toast.error').getByText('could not be reached').waitFor()
  t.equal(await messageIn(page).inputValue(), 'Anybody there?')
  await page.context().setOffline(false)
  await messageIn(page).press('Enter')
  await settled(page, 1)
})
