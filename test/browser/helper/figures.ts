import type { Page } from 'playwright-core'

/** Has the page note, from its beginning on, every task that holds it up. */
export async function watchFigures(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const longTasks: number[] = []
    Object.assign(globalThis, { longTasks })
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longTasks.push(Math.round(duration))
    }).observe({ type: 'longtask', buffered: true })
  })
}

/** The longest task of more than 50 ms since the last call, in milliseconds; 0 where there was none. */
const takeLongestTask = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(0, ...(Reflect.get(globalThis, 'longTasks') as number[]).splice(0)))

/**
 * The longest task that took so long in both rounds, at about the same place. What else the machine does disturbs a
 * round, but not twice at one place.
 */
export function longestInBoth(one: number[], other: number[]): number {
  const nearby = (at: number) => Math.max(0, ...other.slice(Math.max(0, at - 1), at + 2))
  return Math.max(0, ...one.map((task, at) => Math.min(task, nearby(at))))
}

export const firstPaintMs = (page: Page): Promise<number> =>
  page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN)

/**
 * Turns the wheel over `selector` as a person does, about 1,500 pixels every 50 ms with a rest now and then, until
 * `isThere`. `tasks` are the longest of the time before and of each ten turns; `jumpPx` is how far what was in sight
 * moved farther than the wheel was turned, or against it, and `skipped` how many turns were passed by that the wheel
 * was not turned for.
 */
export async function wheelUntil(
  page: Page,
  selector: string,
  stepPx: number,
  isThere: () => Promise<boolean>
): Promise<{ jumpPx: number; skipped: number; elements: number; tasks: number[] }> {
  await page.locator(selector).hover()
  await page.evaluate(followMoves, selector)
  let elements = 0
  let skipped = 0
  let at = await page.evaluate(turnInSight, selector)
  const tasks = [await takeLongestTask(page)]
  while (tasks.length < 200) {
    for (let turned = 0; turned < 10; turned++) {
      await Promise.all([page.mouse.wheel(0, stepPx), new Promise((resolve) => setTimeout(resolve, 50))])
    }
    await page.evaluate(() => Reflect.get(globalThis, 'rest')())
    tasks.push(await takeLongestTask(page))
    const seen = await page.evaluate(turnInSight, selector)
    skipped = Math.max(
      skipped,
      Math.abs(seen.seq - at.seq) - Math.ceil((10 * Math.abs(stepPx)) / seen.lowestPx)
    )
    at = seen
    elements = Math.max(elements, await page.evaluate(() => document.querySelectorAll('*').length))
    if (await isThere()) break
  }
  const jumpPx = await page.evaluate(() => Math.round(Reflect.get(globalThis, 'moves').worst))
  return { jumpPx, skipped, elements, tasks }
}

/** Runs in the page. */
function turnInSight(selector: string): { seq: number; lowestPx: number } {
  const box = document.querySelector(selector)
  const turns = [...(box?.querySelectorAll<HTMLElement>('.turn') ?? [])]
  const middle = (box?.getBoundingClientRect().top ?? 0) + (box?.clientHeight ?? 0) / 2
  const inSight = turns.find((one) => one.getBoundingClientRect().bottom > middle)
  const lowestPx = Math.min(...turns.map(({ offsetHeight }) => offsetHeight))
  return { seq: Number(inSight?.dataset.seq ?? 0), lowestPx }
}

/** Runs in the page. */
function followMoves(selector: string): void {
  const box = document.querySelector(selector)
  if (!box) throw new Error(`no ${selector}`)
  const moves = { moved: 0, wheeled: 0, worst: 0 }
  let followed: Element | undefined
  let lastTop = 0

  box.addEventListener(
    'wheel',
    (event) => {
      moves.wheeled -= (event as WheelEvent).deltaY
    },
    { passive: true }
  )
  const follow = () => {
    const { top, height } = box.getBoundingClientRect()
    if (followed?.isConnected) {
      moves.moved += followed.getBoundingClientRect().top - lastTop
      const { moved, wheeled } = moves
      const over = Math.max(moved - Math.max(0, wheeled), Math.min(0, wheeled) - moved)
      moves.worst = Math.max(moves.worst, over)
    }
    followed = [...box.querySelectorAll('.turn')].find(
      (one) => one.getBoundingClientRect().bottom > top + height / 2
    )
    lastTop = followed?.getBoundingClientRect().top ?? 0
    requestAnimationFrame(follow)
  }
  follow()
  /** Waits until nothing moves any more; what comes then may not move anything. */
  const rest = async () => {
    for (let still = 0; still < 6; ) {
      const { moved } = moves
      await new Promise((resolve) => requestAnimationFrame(resolve))
      still = moves.moved === moved ? still + 1 : 0
    }
    Object.assign(moves, { moved: 0, wheeled: 0 })
    for (let frames = 0; frames < 6; frames++) await new Promise((resolve) => requestAnimationFrame(resolve))
  }
  Object.assign(globalThis, { moves, rest })
}
