import t from 'tap'
import { request } from '../helper/request.ts'
import { plainAnswer } from '../helper/upstream.ts'
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
  say,
  settled,
  startConsole,
  statusOf,
  turnsIn
} from './helper/console.ts'
import { type SteeredAnswer, steered } from './helper/steered.ts'

t.test('what one window does, the other shows', BROWSER, async (t) => {
  const { page, seen, url, newWindow } = await startConsole(t, { script: plainAnswer })
  await open(page, url)
  const other = await newWindow()
  await open(other, url)
  await say(page, 'Hello there')
  await settled(page, 1)
  await rowsIn(other).getByText('Hello there').waitFor()
  await rowsIn(other).getByText('Hello there').click()
  await answersIn(other).getByText('Hello world').waitFor()

  await say(page, 'And again')
  await settled(page, 2)
  await answersIn(other).nth(1).waitFor()
  t.same(await turnsIn(other).locator('.bubble').allInnerTexts(), ['Hello there', 'And again'])

  await rowsIn(page).hover()
  await page.getByRole('button', { name: 'Pin Hello there' }).click()
  await other.getByRole('list', { name: 'Pinned' }).waitFor()

  const id = idIn(page)
  await page.clock.install()
  await rowsIn(page).hover()
  await page.getByRole('button', { name: 'Delete Hello there' }).click()
  await page.getByRole('button', { name: 'Undo' }).waitFor()
  await page.clock.fastForward(20_000)
  t.equal(
    await eventually(
      () => statusOf(url, id),
      (status) => status === 404
    ),
    404
  )
  await other.getByRole('heading', { name: 'New chat' }).waitFor()
  await rowsIn(other).waitFor({ state: 'detached' })
  t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
})

t.test('two windows stream at once, each its own answer', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, url, newWindow } = await startConsole(t, { script })
  const other = await newWindow()
  const answers: SteeredAnswer[] = []
  for (const window of [page, other]) {
    await open(window, url)
    await say(window, 'Count')
    answers.push(await next())
  }
  const [one, two] = answers
  for (const piece of ['1', '2', '3']) {
    one?.write(`a${piece} `)
    two?.write(`b${piece} `)
    await liveIn(page).getByText(`a${piece}`).waitFor()
    await liveIn(other).getByText(`b${piece}`).waitFor()
  }
  one?.end()
  two?.end()
  await settled(page, 1)
  await settled(other, 1)
  t.equal(await answersIn(page).innerText(), 'a1 a2 a3')
  t.equal(await answersIn(other).innerText(), 'b1 b2 b3')
  t.not(idIn(page), idIn(other))
})

t.test('an answer goes on while another conversation is looked at', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, url, turnsOf } = await startConsole(t, { script })
  const items = [{ role: 'user', content: 'Something older' }]
  await request(`${url}/v1/conversations`, { body: { title: 'Something older', items } })
  await open(page, url)
  await say(page, 'Count')
  const answer = await next()
  answer.write('One, ')
  await liveIn(page).getByText('One,').waitFor()
  const id = idIn(page)
  await rowsIn(page).getByText('Something older').click()
  await turnsIn(page).getByText('Something older').waitFor()
  t.equal(await page.locator('.turn.live').count(), 0)
  answer.write('two, ')
  await rowsIn(page).getByText('Count').click()
  await liveIn(page).getByText('One, two,').waitFor()
  await page.getByRole('link', { name: 'Stats' }).click()
  await page.getByRole('heading', { name: 'Turns per day' }).waitFor()
  answer.write('three')
  await page.goBack()
  await liveIn(page).getByText('One, two, three').waitFor()
  await page.getByRole('button', { name: 'New chat' }).click()
  await page.getByRole('heading', { name: 'New chat' }).waitFor()
  answer.end()
  await eventually(
    () => turnsOf(id),
    ([turn]) => turn?.status === 'completed'
  )
  await rowsIn(page).getByText('Count').click()
  await settled(page, 1)
  t.equal(await answersIn(page).innerText(), 'One, two, three')
  t.match(await turnsOf(id), [{ status: 'completed', assistant_text: 'One, two, three' }])
})

t.test('an answer that begins late does not take another new chat away', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const hold = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const { page, url } = await startConsole(t, {
    script: async (res, call, req) => {
      asked.resolve()
      await hold.promise
      await script(res, call, req)
    }
  })
  await request(`${url}/v1/conversations`, { body: { title: 'Other' } })
  await open(page, url)
  await say(page, 'Slow one')
  await asked.promise
  await rowsIn(page).getByText('Other').click()
  await page.getByRole('heading', { name: 'Other' }).waitFor()
  await page.getByRole('button', { name: 'New chat' }).click()
  await page.getByRole('heading', { name: 'New chat' }).waitFor()
  await messageIn(page).fill('Something new')
  hold.resolve()
  const answer = await next()
  answer.write('There')
  await rowsIn(page).getByText('Slow one').waitFor()
  t.equal(idIn(page), '')
  t.equal(await messageIn(page).inputValue(), 'Something new')
  await rowsIn(page).getByText('Slow one').click()
  await liveIn(page).getByText('There').waitFor()
  answer.end()
  await settled(page, 1)
})

t.test('turns that were read while an answer came stay', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, url } = await startConsole(t, { script })
  const { id } = (await request(`${url}/v1/conversations`, { method: 'POST' })).json
  for (let first = 0; first < 200; first += 20) {
    const items = Array.from({ length: 20 }, (_, number) => ({
      role: number % 2 === 0 ? 'user' : 'assistant',
      content: `Said ${first + number}`
    }))
    await request(`${url}/v1/conversations/${id}/items`, { body: { items } })
  }
  await open(page, url, id)
  await turnsIn(page).getByText('Said 199', { exact: true }).waitFor()
  await say(page, 'Go on')
  const answer = await next()
  answer.write('On it')
  await liveIn(page).waitFor()
  const box = page.getByRole('region', { name: 'Messages' })
  const isAtTop = () =>
    eventually(
      async () => {
        await box.evaluate((element) => element.scrollTo(0, 0))
        return page.getByText('Said 0', { exact: true }).count()
      },
      (count) => count === 1
    )
  t.equal(await isAtTop(), 1)
  answer.end()
  await page.locator('.turn.live').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'To the newest' }).click()
  await answersIn(page).getByText('On it').waitFor()
  t.equal(await isAtTop(), 1, 'the first turn is still there')
  t.equal(await noteIn(page).count(), 0)
})
