import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { request } from '../helper/request.ts'
import { DONE, delta, finish, startSse, type UpstreamScript } from '../helper/upstream.ts'
import { BROWSER } from './helper/browser.ts'
import {
  answersIn,
  chatsAt,
  eventually,
  idIn,
  open,
  say,
  settled,
  startConsole,
  turnsIn
} from './helper/console.ts'

/** Says how many answers it gave before, and who was asked. */
function counting(): UpstreamScript {
  let count = 0
  return (res, { body }) => {
    count += 1
    startSse(res)
    const { model } = JSON.parse(body)
    res.end(`${delta({ role: 'assistant', content: `Answer ${count} of ${model}` })}${finish()}${DONE}`)
  }
}

const questionsIn = (page: Page) => turnsIn(page).locator('.bubble').allInnerTexts()
const shownIn = (page: Page) => answersIn(page).allInnerTexts()

/** A conversation with two turns, and a way to wait for what the page shows. */
async function withTwoTurns(t: Test) {
  const started = await startConsole(t, { script: counting() })
  const { page, url } = started
  await open(page, url)
  await page.getByRole('combobox', { name: 'Model' }).waitFor()
  await say(page, 'First?')
  await settled(page, 1)
  await say(page, 'Second?')
  await settled(page, 2)
  const shows = async (answers: string[], title = 'the answers') => {
    const wanted = answers.join()
    t.same(
      await eventually(
        () => shownIn(page),
        (texts) => texts.join() === wanted
      ),
      answers,
      title
    )
  }
  await shows(['Answer 1 of model-a', 'Answer 2 of model-a'])
  const turn = (seq: number) => page.getByRole('article', { name: `Turn ${seq}`, exact: true })
  return { ...started, shows, turn, id: idIn(page) }
}

t.test('an answer is regenerated, and each version can be looked at', BROWSER, async (t) => {
  const { page, seen, upstream, turnsOf, shows, turn, id } = await withTwoTurns(t)
  await turn(2).getByRole('button', { name: 'Regenerate' }).click()
  await shows(['Answer 1 of model-a', 'Answer 3 of model-a'])
  await turn(3).getByText('2/2').waitFor()
  t.match(await turnsOf(id), [
    { superseded: false },
    { superseded: true },
    { superseded: false, parent_seq: 1 }
  ])
  t.match(chatsAt(upstream)[2]?.messages, [
    { content: 'First?' },
    { content: 'Answer 1 of model-a' },
    { content: 'Second?' }
  ])

  await turn(3).getByRole('button', { name: 'Older version' }).click()
  await shows(['Answer 1 of model-a', 'Answer 2 of model-a'])
  await turn(2).getByText('1/2').waitFor()
  await page.getByText('This is a version that was replaced.').waitFor()
  t.equal(await turn(2).getByRole('button', { name: 'Older version' }).isDisabled(), true)
  await turn(2).getByRole('button', { name: 'Newer version' }).click()
  await shows(['Answer 1 of model-a', 'Answer 3 of model-a'])
  t.equal(await page.getByText('This is a version that was replaced.').count(), 0)

  await page.reload()
  await turn(3).getByText('2/2').waitFor()
  await shows(['Answer 1 of model-a', 'Answer 3 of model-a'], 'after a reload the newest is shown')
  t.match(seen, { dialogs: { length: 0 }, errors: { length: 0 } })
})

t.test('a question is edited, and what followed can still be looked at', { ...BROWSER }, async (t) => {
  const { page, shows, turn, turnsOf, id } = await withTwoTurns(t)
  const field = page.getByRole('textbox', { name: 'The question' })
  await turn(1).getByRole('button', { name: 'Edit the question' }).click()
  t.equal(await field.inputValue(), 'First?')
  const order = () => turn(1).evaluate((article) => [...article.children].map(({ className }) => className))
  t.same(await order(), ['edit', 'answer', 'actions answer-actions'])
  await field.fill('Not this')
  await page.keyboard.press('Escape')
  await field.waitFor({ state: 'detached' })
  t.same(await order(), ['question', 'answer', 'actions answer-actions'])
  await turn(1).getByRole('button', { name: 'Edit the question' }).click()
  t.equal(await field.inputValue(), 'First?', 'what was given up is not there again')
  await field.fill('Foremost?')
  await page.keyboard.press('Enter')
  await shows(['Answer 3 of model-a'])
  t.same(await questionsIn(page), ['Foremost?'])
  const superseded = (await turnsOf(id)).map((one) => one.superseded)
  t.same(superseded, [true, true, false])

  await turn(3).getByRole('button', { name: 'Older version' }).click()
  await shows(['Answer 1 of model-a', 'Answer 2 of model-a'])
  t.same(await questionsIn(page), ['First?', 'Second?'])
  await page.getByRole('button', { name: 'Show the current one' }).click()
  await shows(['Answer 3 of model-a'])
})

t.test('who goes on from a version that was replaced brings it back', { ...BROWSER }, async (t) => {
  const { page, upstream, shows, turn, turnsOf, id } = await withTwoTurns(t)
  await turn(1).getByRole('button', { name: 'Regenerate' }).click()
  await shows(['Answer 3 of model-a'])
  await turn(3).getByRole('button', { name: 'Older version' }).click()
  await shows(['Answer 1 of model-a', 'Answer 2 of model-a'])
  await say(page, 'Third?')
  await shows(['Answer 1 of model-a', 'Answer 2 of model-a', 'Answer 4 of model-a'])
  t.match(chatsAt(upstream)[3]?.messages, { length: 5 })
  t.match(await turnsOf(id), [
    { superseded: false },
    { superseded: false },
    { superseded: true },
    { superseded: false, parent_seq: 2 }
  ])
  await turn(1).getByText('1/2').waitFor()
  t.equal(await page.getByText('This is a version that was replaced.').count(), 0)
  await page.reload()
  await shows(['Answer 1 of model-a', 'Answer 2 of model-a', 'Answer 4 of model-a'], 'after a reload too')

  // A version in between, whose answer is asked for again.
  await turn(1).getByRole('button', { name: 'Newer version' }).click()
  await shows(['Answer 3 of model-a'])
  await turn(3).getByRole('button', { name: 'Regenerate' }).click()
  await shows(['Answer 5 of model-a'])
  await turn(5).getByText('3/3').waitFor()
})

t.test('the model that is chosen answers, also what is asked again', { ...BROWSER }, async (t) => {
  const { page, upstream, shows, turn, newProfile, url } = await withTwoTurns(t)
  const picker = page.getByRole('combobox', { name: 'Model' })
  t.equal(await picker.inputValue(), 'model-a')
  await picker.selectOption('model-b')
  await turn(2).getByRole('button', { name: 'Regenerate' }).click()
  await shows(['Answer 1 of model-a', 'Answer 3 of model-b'])
  await say(page, 'Third?')
  await settled(page, 3)
  t.same(
    chatsAt(upstream).map(({ model }) => model),
    ['model-a', 'model-a', 'model-b', 'model-b']
  )
  await page.reload()
  await picker.waitFor()
  t.equal(
    await eventually(
      () => picker.inputValue(),
      (value) => value === 'model-b'
    ),
    'model-b',
    'it is known after a reload'
  )
  const id = idIn(page)
  const { page: elsewhere } = await newProfile()
  await open(elsewhere, url, id)
  const otherPicker = elsewhere.getByRole('combobox', { name: 'Model' })
  await answersIn(elsewhere).nth(2).waitFor()
  t.equal(
    await eventually(
      () => otherPicker.inputValue(),
      (value) => value === 'model-b'
    ),
    'model-b',
    'who has chosen nothing goes on with the model of the conversation'
  )
  t.match((await request(`${url}/v1/conversations/${id}`)).json, { model: 'model-b' })
})
