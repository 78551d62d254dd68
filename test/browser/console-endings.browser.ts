import t from 'tap'
import { request } from '../helper/request.ts'
import { plainAnswer, sendJson } from '../helper/upstream.ts'
import { BROWSER } from './helper/browser.ts'
import {
  answersIn,
  chatsAt,
  idIn,
  liveIn,
  messageIn,
  open,
  say,
  settled,
  startConsole,
  turnsIn
} from './helper/console.ts'
import { steered } from './helper/steered.ts'

t.test('an answer that is stopped keeps what had come', BROWSER, async (t) => {
  const { script, next } = steered()
  const { page, seen, url, turnsOf } = await startConsole(t, { script })
  await open(page, url)
  for (const way of ['button', 'Escape'] as const) {
    await say(page, 'Count')
    const answer = await next()
    answer.write('One, two, ')
    await liveIn(page).getByText('One, two,').waitFor()
    if (way === 'button') await page.getByRole('button', { name: 'Stop' }).click()
    else await messageIn(page).press('Escape')
    await answer.call.cancelled
    await settled(page, way === 'button' ? 1 : 2)
  }
  const stopped = { status: 'incomplete', error: 'client_disconnect', assistant_text: 'One, two, ' }
  t.match(await turnsOf(idIn(page)), [stopped, stopped])
  for (const again of [false, true]) {
    if (again) await page.reload()
    await turnsIn(page).nth(1).waitFor()
    t.same(await answersIn(page).allInnerTexts(), ['One, two,', 'One, two,'])
    t.same(await page.locator('.ending').allInnerTexts(), Array(2).fill('Stopped. What had come is kept.'))
  }
  t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
})

t.test('a reload in the middle of an answer shows what the server kept of it', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, url, turnsOf } = await startConsole(t, { script })
  await open(page, url)
  await say(page, 'Count')
  const answer = await next()
  answer.write('One, two, ')
  await liveIn(page).getByText('One, two,').waitFor()
  await page.reload()
  await answer.call.cancelled
  await answersIn(page).getByText('One, two,').waitFor()
  await page.getByText('Stopped. What had come is kept.').waitFor()
  t.match(await turnsOf(idIn(page)), [{ status: 'incomplete', error: 'client_disconnect' }])
})

t.test('a turn that another client runs appears when it ends', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, url, chat } = await startConsole(t, { script })
  const { id } = (await request(`${url}/v1/conversations`, { method: 'POST' })).json
  const asked = chat({ stream: true, conversation: id })
  const answer = await next()
  await open(page, url, id)
  await page.getByText('Answering…').waitFor()
  answer.write('From elsewhere')
  answer.end()
  await (await asked).text()
  await answersIn(page).getByText('From elsewhere').waitFor()
  await page.getByText('Answering…').waitFor({ state: 'detached' })
})

t.test('an error of the upstream is shown, and the turn can be tried again', { ...BROWSER }, async (t) => {
  for (const status of [429, 500]) {
    const message = `Broken with ${status}`
    const { page, url, upstream, turnsOf } = await startConsole(t, {
      script: (res) => sendJson(res, status, { error: { message, type: 'x', code: null, param: null } })
    })
    await open(page, url)
    await say(page, 'Is it there?')
    await page.getByText('The model’s server answered with an error.').waitFor()
    await page.locator('.toast.error').getByText(message).waitFor()
    await settled(page, 1)
    t.match(page.url(), /#\/c\/conv_/, 'the conversation is shown')
    t.equal(await messageIn(page).inputValue(), '', 'the text is in the conversation, not in the composer')
    t.match(await turnsOf(idIn(page)), [{ status: 'failed', error: 'upstream_error' }])
    upstream.script = plainAnswer
    await page.getByRole('button', { name: 'Try again' }).click()
    await answersIn(page).getByText('Hello world').waitFor()
    await settled(page, 1)
    t.equal(await page.getByText('with an error').count(), 0, 'what failed is replaced')
    t.match(chatsAt(upstream).at(-1), { messages: [{ role: 'user', content: 'Is it there?' }] })

    // In a conversation that is there already
    upstream.script = (res) => sendJson(res, status, { error: { message } })
    await say(page, 'And now?')
    await page.getByText('The model’s server answered with an error.').waitFor()
    await settled(page, 2)
    t.equal(await messageIn(page).inputValue(), '')
    await page.reload()
    await page.getByRole('button', { name: 'Try again' }).waitFor()
    t.same(await turnsIn(page).locator('.bubble').allInnerTexts(), ['Is it there?', 'And now?'])
  }
})

t.test('an answer that breaks off says so', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, url, turnsOf } = await startConsole(t, { script })
  await open(page, url)
  await say(page, 'Count')
  const answer = await next()
  answer.write('One, two, ')
  await liveIn(page).getByText('One, two,').waitFor()
  answer.cut()
  await page.getByText('The answer broke off. What had come is kept.').waitFor()
  t.equal(await answersIn(page).innerText(), 'One, two,')
  t.match(await turnsOf(idIn(page)), [{ status: 'incomplete', error: 'upstream_truncated' }])
})
