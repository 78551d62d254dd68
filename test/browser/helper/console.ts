import type { Locator, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { Turn } from '../../../client/index.d.ts'
import { type RunningApp, startApp } from '../../helper/app.ts'
import { request } from '../../helper/request.ts'
import {
  plainAnswer,
  type ScriptedUpstream,
  sendJson,
  startUpstream,
  type UpstreamScript
} from '../../helper/upstream.ts'
import { type PageOptions, type RunningBrowser, type Seen, startBrowser } from './browser.ts'

export const MODELS = ['model-a', 'model-b']

export interface ConsoleOptions {
  /** What answers chats; without it the built-in demo does. */
  script?: UpstreamScript
  settings?: Record<string, string>
  /** The upstream's models, where there is a script. */
  models?: string[]
  page?: PageOptions
}

export interface RunningConsole extends RunningApp {
  upstream: ScriptedUpstream
  page: Page
  seen: Seen
  /** Another window of the same profile. */
  newWindow(): Promise<Page>
  /** Another profile: nothing is shared but the service. */
  newProfile(options?: PageOptions): Promise<{ page: Page; seen: Seen }>
}

let running: Promise<RunningBrowser> | undefined

/** One browser for all tests of a file: it closes after the last. */
export function sharedBrowser(): Promise<RunningBrowser> {
  running ??= startBrowser(t)
  return running
}

/** The service, and a page of the console that nothing has been done with. */
export async function startConsole(t: Test, options: ConsoleOptions = {}): Promise<RunningConsole> {
  const { script, settings } = options
  const upstream = await startUpstream(t, withModels(script ?? plainAnswer, options.models ?? MODELS))
  const app = await startApp(t, { ...(script && { OPENAI_BASE_URL: upstream.url }), ...settings })
  const { newPage } = await sharedBrowser()
  const newProfile = async (pageOptions: PageOptions = {}) => {
    const made = await newPage({ viewport: { width: 1100, height: 760 }, ...pageOptions })
    made.page.setDefaultTimeout(20_000)
    t.teardown(() => made.page.context().close())
    return made
  }
  const { page, seen } = await newProfile(options.page)
  const newWindow = async () => {
    const opened = await page.context().newPage()
    opened.setDefaultTimeout(20_000)
    return opened
  }
  return { ...app, upstream, page, seen, newWindow, newProfile }
}

/** Lists the models, and leaves the rest to `script`. */
function withModels(script: UpstreamScript, models: string[]): UpstreamScript {
  return (res, call, req) => {
    if (call.url.endsWith('/models')) {
      const data = models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'test' }))
      return sendJson(res, 200, { object: 'list', data })
    }
    return script(res, call, req)
  }
}

/** The chats that an upstream was asked for, as they came. */
export const chatsAt = ({ calls }: ScriptedUpstream): ReturnType<typeof JSON.parse>[] =>
  calls.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body))

export const messageIn = (page: Page): Locator => page.getByRole('textbox', { name: 'Message', exact: true })
export const turnsIn = (page: Page): Locator => page.locator('.turn:not(.live)')
export const answersIn = (page: Page): Locator => page.locator('.turn:not(.live) .answer .markdown')
export const liveIn = (page: Page): Locator => page.locator('.turn.live .markdown')
export const rowsIn = (page: Page): Locator => page.locator('.list a')
export const idIn = (page: Page): string => /#\/c\/(\w+)$/.exec(page.url())?.[1] ?? ''
export const noteIn = (page: Page): Locator => page.locator('.thread-note')

/** Types the text into the composer, as a person does, and sends it. */
export async function say(page: Page, text: string): Promise<void> {
  await messageIn(page).click()
  await page.keyboard.insertText(text)
  await page.keyboard.press('Enter')
}

/** Waits until the conversation that is shown has that many turns, and none is being answered. */
export async function settled(page: Page, turns: number): Promise<void> {
  await page.locator('.turn.live').waitFor({ state: 'detached' })
  await eventually(
    () => turnsIn(page).count(),
    (count) => count === turns
  )
}

/** Asks until the value is as it should be; gives it as it then is, or after `patienceMs` whatever it is. */
export async function eventually<T>(
  read: () => Promise<T> | T,
  isSo: (value: T) => boolean,
  patienceMs = 20_000
): Promise<T> {
  const until = Date.now() + patienceMs
  for (;;) {
    const value = await read()
    if (isSo(value) || Date.now() > until) return value
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** Opens the console at this place and waits for the list. */
export async function open(page: Page, url: string, id?: string): Promise<void> {
  await page.goto(id === undefined ? `${url}/` : `${url}/#/c/${id}`)
  await page.locator('.list').waitFor({ state: 'attached' })
}

export const statusOf = async (url: string, id: string): Promise<number> =>
  (await request(`${url}/v1/conversations/${id}`)).status

export type { Turn }
