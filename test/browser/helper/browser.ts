import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

/**
 * Options for tests that need a browser: left out, and said so, where there is none. On CI they have to run.
 * `t.test(name, { ...BROWSER }, …)`, because tap writes into what it is given.
 */
export const BROWSER = {
  skip: !existsSync(CHROMIUM) && process.env.CI !== 'true' && `${CHROMIUM} is not installed`
}

/** What a page has done so far, and those that it opened; it grows. */
export interface Seen {
  /** The URL of every request, WebSockets included, even if a policy of the page then refused it. */
  requests: string[]
  /** What `alert`, `confirm`, `prompt` and `beforeunload` asked. */
  dialogs: string[]
  /** Errors in the console, what the page threw and did not catch, and refusals by a content security policy. */
  errors: string[]
}

export interface PageOptions extends BrowserContextOptions {
  /** Answers dialogs with OK. By default they are dismissed. */
  acceptDialogs?: boolean
}

export interface RunningBrowser {
  browser: Browser
  /** A page in a profile of its own: no cookie or storage is shared with another one. */
  newPage(options?: PageOptions): Promise<{ page: Page; seen: Seen }>
}

/** A real Chromium that closes with the test. It knows no host but this machine. */
export async function startBrowser(t: Test): Promise<RunningBrowser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE [::1], EXCLUDE localhost'
    ]
  })
  t.teardown(() => browser.close())

  return {
    browser,
    async newPage({ acceptDialogs = false, ...options } = {}) {
      const context = await browser.newContext(options)
      const seen: Seen = { requests: [], dialogs: [], errors: [] }
      context.on('request', (request) => seen.requests.push(request.url()))
      context.on('console', (message) => message.type() === 'error' && seen.errors.push(message.text()))
      context.on('weberror', (error) => seen.errors.push(String(error.error())))
      context.on('dialog', (dialog) => {
        seen.dialogs.push(dialog.message())
        return acceptDialogs ? dialog.accept() : dialog.dismiss()
      })
      context.on('page', (page) => page.on('websocket', (socket) => seen.requests.push(socket.url())))
      return { page: await context.newPage(), seen }
    }
  }
}
