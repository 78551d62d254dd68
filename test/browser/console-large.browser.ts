import path from 'node:path'
import t, { type Test } from 'tap'
import { newId } from '../../storage/ids.ts'
import { tempFolder } from '../helper/app.ts'
import { addConversation, withStore } from '../helper/transfer.ts'
import { BROWSER } from './helper/browser.ts'
import { eventually, open, rowsIn, say, startConsole, turnsIn } from './helper/console.ts'
import { firstPaintMs, longestInBoth, watchFigures, wheelUntil } from './helper/figures.ts'

const CONVERSATIONS = 2_000
const TURNS = 5_000
const LONGEST_TASK_MS = 100

const url = `sqlite:${path.join(tempFolder(t), 'large.db')}`
let long = ''

const ANSWER = [
  'It depends on **what** you count, and from where.',
  '- the first of them\n- the second of them, with `code`',
  '```js\nconst length = measure(river)\n```',
  'That is all there is to say.'
]

t.before(async () => {
  if (BROWSER.skip) return
  await withStore(url, async (store) => {
    const change = ({ seq }: { seq: number }) => ({
      userText: `Question number ${seq}?`,
      assistantText: `Answer number ${seq}.\n\n${ANSWER.slice(0, seq % 12 < 4 ? 1 + (seq % 4) : 1).join('\n\n')}`
    })
    const fields = { sessionId: 'local', title: 'The long one', pinned: true }
    long = (await addConversation(store, TURNS, change, fields)).id
    for (let number = 1; number <= CONVERSATIONS; number++) {
      const now = Date.now()
      await store.importConversation({
        ...{ id: newId('conv'), sessionId: 'local', title: `Conversation ${number}`, model: 'm' },
        ...{ metadata: {}, pinned: false, lastSeq: 0, createdAt: now, activeAt: now }
      })
    }
  })
})

/** Holds that no task takes too long; a second round says whether it was the page or the machine. */
async function hasNoLongTask(t: Test, round: () => Promise<number[]>): Promise<void> {
  const first = await round()
  t.comment(
    `longest tasks: ${first
      .filter(Boolean)
      .sort((a, b) => b - a)
      .slice(0, 8)} ms`
  )
  if (Math.max(...first) <= LONGEST_TASK_MS) return
  const longest = longestInBoth(first, await round())
  t.ok(longest <= LONGEST_TASK_MS, `the longest task took ${longest} ms in both rounds`)
}

t.test('2,000 conversations are there at once, and to the last', BROWSER, async (t) => {
  const { newProfile, url: service } = await startConsole(t, { settings: { DB_URL: url } })
  const paints: number[] = []
  await hasNoLongTask(t, async () => {
    const { page } = await newProfile()
    await watchFigures(page)
    await open(page, service)
    await rowsIn(page).nth(1).waitFor()
    paints.push(Math.round(await firstPaintMs(page)))
    const { tasks, elements } = await wheelUntil(page, '.list', 1_500, async () => {
      return (await rowsIn(page).getByText('Conversation 1', { exact: true }).count()) === 1
    })
    t.equal(await rowsIn(page).count(), CONVERSATIONS + 1)
    t.comment(`${elements} elements`)
    return tasks
  })
  t.comment(`first contentful paint: ${paints} ms`)
  t.ok(Math.min(...paints) < 1_000, 'something is shown within a second')
})

t.test('a conversation of 5,000 turns is read to its beginning and on', { ...BROWSER }, async (t) => {
  const { newProfile, url: service } = await startConsole(t, { settings: { DB_URL: url } })
  const paints: number[] = []
  await hasNoLongTask(t, async () => {
    const { page } = await newProfile()
    await watchFigures(page)
    await open(page, service, long)
    const newest = turnsIn(page).getByText(`Question number ${TURNS}?`)
    const oldest = turnsIn(page).getByText('Question number 1?', { exact: true })
    await newest.waitFor()
    paints.push(Math.round(await firstPaintMs(page)))
    t.ok(await newest.evaluate(isInSight), 'it begins at the newest turn')

    const up = await wheelUntil(page, 'main .scroller', -1_500, async () => (await oldest.count()) === 1)
    t.comment(`up: ${up.tasks.length * 10} turns of the wheel, ${up.elements} elements`)
    t.ok(up.skipped <= 8, `no turn was passed by: ${up.skipped}`)
    t.ok(up.jumpPx <= 4, `nothing jumped while older turns came: ${up.jumpPx} px`)
    const further = turnsIn(page).getByText('Question number 400?', { exact: true })
    const down = await wheelUntil(page, 'main .scroller', 1_500, async () => (await further.count()) === 1)
    t.comment(`down: ${down.tasks.length * 10} turns of the wheel, ${down.elements} elements`)
    t.ok(down.skipped <= 8, `no turn was passed by: ${down.skipped}`)
    t.ok(down.jumpPx <= 4, `nothing jumped on the way down: ${down.jumpPx} px`)
    t.ok(Math.max(up.elements, down.elements) < 6_000, 'the page stays small')
    return [...up.tasks, ...down.tasks]
  })
  t.comment(`first contentful paint: ${paints} ms`)
  t.ok(Math.min(...paints) < 1_000, 'something is shown within a second')
})

t.test('from far up one press leads to the newest turn', { ...BROWSER }, async (t) => {
  const { page, url: service } = await startConsole(t, { settings: { DB_URL: url } })
  await watchFigures(page)
  await open(page, service, long)
  const newest = turnsIn(page).getByText(`Question number ${TURNS}?`)
  await newest.waitFor()
  await wheelUntil(page, 'main .scroller', -1_500, async () => (await newest.count()) === 0)
  await page.getByRole('button', { name: 'To the newest' }).click()
  t.ok(await eventually(async () => (await newest.count()) === 1 && newest.evaluate(isInSight), Boolean))
  await page.getByRole('button', { name: 'To the newest' }).waitFor({ state: 'detached' })

  await wheelUntil(page, 'main .scroller', -1_500, async () => (await newest.count()) === 0)
  await say(page, 'One more?')
  await turnsIn(page).getByText('One more?', { exact: true }).waitFor()
  const answer = turnsIn(page).last().locator('.answer')
  t.ok(await eventually(() => answer.evaluate(isInSight), Boolean), 'whoever asks sees the answer')
})

function isInSight(element: Element): boolean {
  const box = element.closest('.scroller')?.getBoundingClientRect()
  const { top, bottom } = element.getBoundingClientRect()
  return box !== undefined && bottom > box.top && top < box.bottom
}
